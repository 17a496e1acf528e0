// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// What comes from a local server.
extension GatewaySession {
    mutating func receivedMessage(
        _ message: Span<UInt8>,
        from upstream: Int,
        at now: UInt64
    ) throws(WireError) -> ServerAction {
        let inspected = try InspectedMessage(message, limits: limits.wire)
        switch inspected.kind {
        case .initialize:
            upstreams[upstream].said(initializeAt: now)
            return .swallow
        case .call(let id, let channel, let command):
            let asked = AskedFor(
                .call,
                .fromServer,
                id: id,
                channel: channel,
                name: command,
                in: message,
                bodyOffset: inspected.bodyOffset
            )
            return received(asked, inspected, message, from: upstream, at: now)
        case .listen(let id, let channel, let event):
            let asked = AskedFor(
                .listen,
                .fromServer,
                id: id,
                channel: channel,
                name: event,
                in: message,
                bodyOffset: inspected.bodyOffset
            )
            return received(asked, inspected, message, from: upstream, at: now)
        case .cancel(let id):
            guard let known = clientID(of: id, from: upstream), serverRequests.cancel(known) != nil else {
                return strayFromServer()
            }
            return pass(inspected, message, as: known)
        case .unlisten(let id):
            guard let known = clientID(of: id, from: upstream), endServerListen(known, .ended, at: now) else {
                return strayFromServer()
            }
            return pass(inspected, message, as: known)
        case .success(let id):
            return receivedAnswer(id, .ok, inspected, message, from: upstream, at: now)
        case .failure(let id), .failureValue(let id):
            return receivedAnswer(id, .error, inspected, message, from: upstream, at: now)
        case .event(let id):
            guard let listen = clientRequests[id], listen.state == .listen, listen.upstream == upstream else {
                return strayFromServer()
            }
            clientRequests.countEvent(id, byteCount: FrameHeader.byteCount + message.count)
            return .forward
        }
    }

    /// Forgets a subscription of a server, by the id that the client knows.
    ///
    /// - Returns: Whether there was one.
    mutating func endServerListen(_ id: UInt64, _ outcome: AuditRequest.Outcome, at now: UInt64) -> Bool {
        guard let listen = serverRequests.unlisten(id) else { return false }
        upstreams[listen.upstream].requests[listen.remoteID] = nil
        count(listen, outcome)
        ended(serverRequests.takeRecord(id), outcome, at: now)
        return true
    }

    private mutating func strayFromServer() -> ServerAction {
        strayCount += 1
        return .swallow
    }

    /// The id under which the client knows a server's request; any, where they are the same.
    private func clientID(of id: UInt64, from upstream: Int) -> UInt64? {
        renumbers ? upstreams[upstream].requests[id] : id
    }

    /// Passes a message about a server's request to the client, under the id that it knows.
    private func pass(_ inspected: InspectedMessage, _ message: Span<UInt8>, as id: UInt64) -> ServerAction {
        renumbers ? .replace(renumbered(inspected, message, to: id)) : .forward
    }

    // MARK: Requests

    private mutating func received(
        _ asked: AskedFor,
        _ inspected: InspectedMessage,
        _ message: Span<UInt8>,
        from upstream: Int,
        at now: UInt64
    ) -> ServerAction {
        requestCount += 1
        if let known = clientID(of: asked.id, from: upstream), serverRequests[known] != nil {
            return .close(malformed(upstream, "used the id \(asked.id) again while it was open"))
        }
        let judgement = judge(asked, message)
        guard judgement.decision.isAllowed else { return refuse(asked, message, .policy, judgement, upstream, at: now) }
        if refusesServers { return refuse(asked, message, .draining, judgement, upstream, at: now) }
        let isCall = asked.request == .call
        if isCall, serverRequests.callCount >= terms.clientLimits.callsOutstanding {
            return refuse(asked, message, .limit("limits.callsOutstanding"), judgement, upstream, at: now)
        }
        if !isCall, serverRequests.listenCount >= terms.clientLimits.listens {
            return refuse(asked, message, .limit("limits.listens"), judgement, upstream, at: now)
        }
        var known = asked.id
        if renumbers {
            known = nextServerRequest
            nextServerRequest += 1
            upstreams[upstream].requests[asked.id] = known
        }
        let state = isCall ? OpenRequests.State.call : .listen
        var entry = OpenRequests.Entry(state: state, upstream: upstream, remoteID: asked.id, startedAt: now)
        if let meter { entry.counter = meter.number(of: asked, message) }
        _ = serverRequests.open(known, entry)
        if !isCall { count(entry, .open) }
        if !isCall, serverRequests.messageByteCount + message.count <= limits.queueBytes {
            serverRequests.keep(known, [UInt8](copying: message, in: 0..<message.count))
        }
        if recording != nil, let record = recordOfPassing(asked, message, judgement, upstream, at: now) {
            serverRequests.record(known, record)
            if !isCall { began(record) }
        }
        return pass(inspected, message, as: known)
    }

    private mutating func refuse(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ cause: Denial.Cause,
        _ judgement: Judgement,
        _ upstream: Int,
        at now: UInt64
    ) -> ServerAction {
        let denial = denied(asked, message, cause, judgement, upstream, at: now)
        guard asked.request == .call else { return .deny(answer: [], denial: denial) }
        let answer =
            switch cause {
            case .limit(let name):
                ErrorAnswer.frame(asked.id, "LimitExceeded", "The \(denial) at this client is beyond \(name).")
            case .draining:
                ErrorAnswer.frame(asked.id, "Draining", "The client is about to be let go; the gateway is stopping.")
            default:
                ErrorAnswer.frame(
                    asked.id,
                    "AccessDenied",
                    "No rule with 'from: server' allows the \(denial) at this client."
                )
            }
        return .deny(answer: answer, denial: denial)
    }

    // MARK: Answers

    private mutating func receivedAnswer(
        _ id: UInt64,
        _ outcome: AuditRequest.Outcome,
        _ inspected: InspectedMessage,
        _ message: Span<UInt8>,
        from upstream: Int,
        at now: UInt64
    ) -> ServerAction {
        guard let call = clientRequests.answer(id, from: upstream) else { return strayFromServer() }
        repeatable.forget(id)
        terms.identityLoad?.removeCalls(1)
        // The record was taken when the gateway answered.
        if call.state == .answeredCall { return strayFromServer() }
        let byteCount = FrameHeader.byteCount + message.count
        let end = call.state == .call ? outcome : .cancelled
        countAnswer(call, end, at: now)
        if clientRequests.hasRecords { ended(clientRequests.takeRecord(id), end, byteCount, at: now) }
        guard outcome == .error, !terms.answers.passesStack,
            let stripped = ErrorAnswer.withoutStack(message, bodyOffset: inspected.bodyOffset, limits: limits.wire)
        else { return .forward }
        return .replace(Frame.regular(stripped).encoded())
    }
}
