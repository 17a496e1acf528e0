// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// What comes from the client.
extension GatewaySession {
    mutating func receivedMessage(_ message: Span<UInt8>, at now: UInt64) throws(WireError) -> ClientAction {
        let inspected = try InspectedMessage(message, limits: limits.wire)
        switch inspected.kind {
        case .call(let id, let channel, let command):
            let asked = AskedFor(
                .call,
                .fromClient,
                id: id,
                channel: channel,
                name: command,
                in: message,
                bodyOffset: inspected.bodyOffset
            )
            return received(asked, message, at: now)
        case .listen(let id, let channel, let event):
            let asked = AskedFor(
                .listen,
                .fromClient,
                id: id,
                channel: channel,
                name: event,
                in: message,
                bodyOffset: inspected.bodyOffset
            )
            return received(asked, message, at: now)
        case .cancel(let id):
            if clientRequests[id]?.state == .waitingCall {
                cancelWaiting(id, at: now)
                return .swallow
            }
            guard let call = clientRequests.cancel(id) else { return strayUnless(clientRequests[id]?.state.isCall) }
            repeatable.forget(id)
            return .forward(to: call.upstream)
        case .unlisten(let id):
            return receivedUnlisten(id, at: now)
        case .initialize:
            return .swallow
        case .success(let id):
            return receivedAnswer(id, .ok, inspected, message, at: now)
        case .failure(let id), .failureValue(let id):
            return receivedAnswer(id, .error, inspected, message, at: now)
        case .event(let id):
            guard let listen = serverRequests[id], listen.state == .listen else { return strayUnless(nil) }
            serverRequests.countEvent(id, byteCount: FrameHeader.byteCount + message.count)
            return pass(inspected, message, listen)
        }
    }

    /// Drops a message, which counts as stray unless it is about something that is open.
    private mutating func strayUnless(_ isOpen: Bool?) -> ClientAction {
        if isOpen != true { strayCount += 1 }
        return .swallow
    }

    /// Passes a message about a server's request to it, under the id that it knows.
    private func pass(
        _ inspected: InspectedMessage,
        _ message: Span<UInt8>,
        _ entry: OpenRequests.Entry
    ) -> ClientAction {
        guard renumbers else { return .forward(to: entry.upstream) }
        return .replace(renumbered(inspected, message, to: entry.remoteID), to: entry.upstream)
    }

    // MARK: Requests

    private mutating func received(_ asked: AskedFor, _ message: Span<UInt8>, at now: UInt64) -> ClientAction {
        requestCount += 1
        guard clientRequests[asked.id] == nil else {
            return .close(CloseReason(.duplicateID, "the client used the id \(asked.id) again while it was open"))
        }
        // What the policy denies is denied whatever the limits say, so that the audit log tells the one from the other.
        let judgement = judge(asked, message)
        let exceeded = exceededRate(at: now)
        guard judgement.decision.isAllowed else { return refuse(asked, message, .policy, judgement, at: now) }
        if let exceeded { return refuse(asked, message, .limit(exceeded), judgement, at: now) }
        guard let upstream = terms.routes.upstream(for: message.extracting(asked.channel), asked.hashes.channel) else {
            return refuse(asked, message, .noRoute, judgement, at: now)
        }
        if isDraining { return refuse(asked, message, .draining, judgement, upstream, at: now) }
        if let cause = obstacle(asked, message, upstream, at: now) {
            return refuse(asked, message, cause, judgement, upstream, at: now)
        }
        return open(asked, message, judgement, upstream, at: now)
    }

    private mutating func exceededRate(at now: UInt64) -> String? {
        if callRate?.take(at: now) == false { return "limits.callsPerSecond" }
        if terms.identityLoad?.takeCall(at: now) == false { return "limits.perIdentity.callsPerSecond" }
        return nil
    }

    /// Why an allowed request cannot pass now. A call that can is counted from here on.
    private mutating func obstacle(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ upstream: Int,
        at now: UInt64
    ) -> Denial.Cause? {
        switch asked.request {
        case .listen:
            if clientRequests.listenCount >= terms.clientLimits.listens { return .limit("limits.listens") }
            let byteCount = FrameHeader.byteCount + message.count
            if survivesLoss(of: upstream), !makeRoom(forListenOf: byteCount) { return .limit("limits.queueBytes") }
        case .call:
            if clientRequests.callCount >= terms.clientLimits.callsOutstanding {
                return .limit("limits.callsOutstanding")
            }
            if upstreams[upstream].isDown(at: now) { return .unavailable }
            if upstreams[upstream].isFull { return .busy }
            if terms.identityLoad?.addCall() == false { return .limit("limits.perIdentity.callsOutstanding") }
        }
        return nil
    }

    private mutating func open(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ judgement: Judgement,
        _ upstream: Int,
        at now: UInt64
    ) -> ClientAction {
        let isDown = upstreams[upstream].isDown(at: now)
        if case .down = upstreams[upstream].phase, !isDown { upstreams[upstream].phase = .idle }
        var entry = OpenRequests.Entry(state: .call, upstream: upstream, remoteID: asked.id, startedAt: now)
        if let meter { entry.counter = meter.number(of: asked, message) }
        var action = ClientAction.forward(to: upstream)
        var kept: [UInt8]?
        if asked.request == .listen {
            entry.state = .listen
            if survivesLoss(of: upstream) {
                keep(asked.id, message)
                if upstreams[upstream].isFull || isDown {
                    entry.state = .waitingListen
                    upstreams[upstream].waitingListens += 1
                    action = .swallow
                }
            } else if clientRequests.messageByteCount + message.count <= limits.queueBytes {
                kept = [UInt8](copying: message, in: 0..<message.count)
            }
        } else {
            keepIfRepeatable(asked, message, upstream)
            if judgement.decision.deadline != .max {
                entry.deadline = now + judgement.decision.deadline
                deadlines.add(entry.deadline, of: asked.id, in: clientRequests)
            }
        }
        _ = clientRequests.open(asked.id, entry)
        if asked.request == .listen { count(entry, .open) }
        if let kept { clientRequests.keep(asked.id, kept) }
        if recording != nil, let record = recordOfPassing(asked, message, judgement, upstream, at: now) {
            clientRequests.record(asked.id, record)
            if asked.request == .listen { began(record) }
        }
        return action
    }

    private mutating func keep(_ id: UInt64, _ message: Span<UInt8>) {
        let frame = Frame.regular([UInt8](copying: message, in: 0..<message.count)).encoded()
        keptByteCount += frame.count
        keptListens[id] = frame
    }

    private mutating func receivedUnlisten(_ id: UInt64, at now: UInt64) -> ClientAction {
        guard let listen = endListen(id, .ended, at: now) else { return strayUnless(nil) }
        return listen.state == .listen ? .forward(to: listen.upstream) : .swallow
    }

    /// Forgets a subscription of the client.
    ///
    /// - Returns: It, if there is one; its server knows of it only in the state `listen`.
    mutating func endListen(_ id: UInt64, _ outcome: AuditRequest.Outcome, at now: UInt64) -> OpenRequests.Entry? {
        guard let listen = clientRequests.unlisten(id) else { return nil }
        if let frame = keptListens.removeValue(forKey: id) { keptByteCount -= frame.count }
        count(listen, outcome)
        ended(clientRequests.takeRecord(id), outcome, at: now)
        if listen.state == .waitingListen { upstreams[listen.upstream].waitingListens -= 1 }
        return listen
    }

    private mutating func receivedAnswer(
        _ id: UInt64,
        _ outcome: AuditRequest.Outcome,
        _ inspected: InspectedMessage,
        _ message: Span<UInt8>,
        at now: UInt64
    ) -> ClientAction {
        guard let call = serverRequests.answer(id) else { return strayUnless(nil) }
        upstreams[call.upstream].requests[call.remoteID] = nil
        let byteCount = FrameHeader.byteCount + message.count
        let end = call.state == .call ? outcome : .cancelled
        count(call, end)
        ended(serverRequests.takeRecord(id), end, byteCount, at: now)
        return pass(inspected, message, call)
    }

    // MARK: Refusals

    private mutating func refuse(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ cause: Denial.Cause,
        _ judgement: Judgement?,
        _ upstream: Int? = nil,
        at now: UInt64
    ) -> ClientAction {
        let looksUnknown =
            asked.request == .call && terms.answers.denial == .unknownChannel && (cause == .policy || cause == .noRoute)
        var exceeded: String?
        if looksUnknown, clientRequests.callCount >= terms.clientLimits.callsOutstanding {
            exceeded = "limits.callsOutstanding"
        } else if looksUnknown, delayed.byteCount > limits.queueBytes {
            exceeded = "limits.queueBytes"
        }
        let denial = denied(asked, message, cause, judgement, upstream, at: now)
        // The protocol has no error for a subscription: it is dropped, and counted.
        guard asked.request == .call else { return .deny(answer: [], denial: denial) }
        if let exceeded {
            var limited = denial
            limited.cause = .limit(exceeded)
            return .deny(answer: answer(asked.id, limited), denial: denial)
        }
        guard looksUnknown else { return .deny(answer: answer(asked.id, denial), denial: denial) }
        // It is open, as it would be at a server, until it has been answered.
        _ = clientRequests.open(asked.id, .init(state: .deniedCall, upstream: -1, remoteID: asked.id))
        let name = asked.channel.prefix(AccessPolicy.longestName)
        let channel = String(decoding: [UInt8](copying: message, in: name), as: UTF8.self)
        delayed.add(ErrorAnswer.unknownChannel(asked.id, channel), to: asked.id, at: now)
        return .deny(answer: [], denial: denial)
    }

    func answer(_ id: UInt64, _ denial: Denial) -> [UInt8] {
        switch denial.cause {
        case .policy:
            var message = "This client is not allowed the \(denial)."
            if terms.answers.namesRule {
                let rule = denial.rule.map { "Rule '\(terms.policy[$0].title)' denies it." } ?? "No rule allows it."
                message += " " + rule
            }
            return ErrorAnswer.frame(id, "AccessDenied", message)
        case .limit(let name):
            return ErrorAnswer.frame(id, "LimitExceeded", "The \(denial) is beyond a limit of the gateway, \(name).")
        case .busy:
            let message = "The server behind the gateway does not keep up; the \(denial) was not passed. Try later."
            return ErrorAnswer.frame(id, "Busy", message)
        case .noRoute:
            return ErrorAnswer.frame(id, "Unknown channel", "No server behind the gateway has '\(denial.channel)'.")
        case .unavailable:
            let message = "The server behind the gateway is not there; the \(denial) was not passed. Try later."
            return ErrorAnswer.frame(id, "UpstreamUnavailable", message)
        case .draining:
            let message = "The gateway is stopping (draining); the \(denial) was not passed. Connect anew."
            return ErrorAnswer.frame(id, "Draining", message)
        }
    }
}
