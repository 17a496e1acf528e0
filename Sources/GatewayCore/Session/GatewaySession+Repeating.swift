// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Calls that are made again when their server was lost with them: those that the configuration calls idempotent.
extension GatewaySession {
    /// Keeps a call that is about to pass, if it may be repeated and there is room.
    mutating func keepIfRepeatable(_ asked: AskedFor, _ message: Span<UInt8>, _ upstream: Int) {
        guard survivesLoss(of: upstream), let calls = terms.upstreams[upstream].idempotent,
            hasRoom(for: FrameHeader.byteCount + message.count),
            calls.contains(channel: message.extracting(asked.channel), command: message.extracting(asked.name))
        else { return }
        let frame = Frame.regular([UInt8](copying: message, in: 0..<message.count)).encoded()
        repeatable.keep(asked.id, frame)
    }

    private func hasRoom(for byteCount: Int) -> Bool {
        keptByteCount + repeatable.byteCount + byteCount <= limits.queueBytes
    }

    /// Whether a subscription can be kept; calls that only might be repeated give way to it, as a client is not told of a
    /// subscription that does not pass.
    mutating func makeRoom(forListenOf byteCount: Int) -> Bool {
        if hasRoom(for: byteCount) { return true }
        guard keptByteCount + byteCount <= limits.queueBytes else { return false }
        repeatable.makeRoom()
        return hasRoom(for: byteCount)
    }

    /// Lets a call wait for its server to come back, if it may be repeated.
    ///
    /// - Returns: Whether it waits; otherwise it has to be answered.
    mutating func waits(_ id: UInt64, _ call: OpenRequests.Entry, wasReached: Bool) -> Bool {
        if call.state == .waitingCall { return true }
        guard call.state == .call, !clientHasEnded, repeatable.lost(id, wasReached: wasReached) else {
            repeatable.forget(id)
            return false
        }
        // What was to be written to a server that was not there was no repetition.
        if !wasReached { clientRequests.countRepeat(id, -1) }
        clientRequests.update(id, to: .waitingCall)
        upstreams[call.upstream].waitingCalls += 1
        return true
    }

    /// The calls that a server gets again.
    mutating func repeatCalls(_ upstream: Int) -> [UInt8] {
        guard upstreams[upstream].waitingCalls > 0 else { return [] }
        upstreams[upstream].waitingCalls = 0
        var frames: [UInt8] = []
        for call in repeatable.inOrder(waitingCalls(of: upstream)) {
            frames += call.frame
            clientRequests.update(call.id, to: .call)
            clientRequests.countRepeat(call.id, 1)
        }
        return frames
    }

    private func waitingCalls(of upstream: Int) -> [UInt64] {
        clientRequests.ids { $0.state == .waitingCall && $0.upstream == upstream }
    }

    /// Answers the calls that have waited too long for their server.
    mutating func giveUpWaiting(_ upstream: Int, at now: UInt64) -> [Task] {
        guard upstreams[upstream].waitingCalls > 0, upstreams[upstream].waitsUntil <= now else { return [] }
        return giveUp(upstream, at: now)
    }

    private mutating func giveUp(_ upstream: Int, at now: UInt64) -> [Task] {
        var frames: [UInt8] = []
        for id in waitingCalls(of: upstream) {
            frames += endWaiting(id, .lost, ErrorAnswer.lost(id), at: now)
        }
        return frames.isEmpty ? [] : [.tellClient(frames)]
    }

    /// Takes note that the client will ask nothing more, and only waits for what is open: no server is dialled for it again,
    /// so calls whose servers are lost are answered.
    public mutating func clientEnded(at now: UInt64) -> [Task] {
        guard !clientHasEnded else { return [] }
        clientHasEnded = true
        return upstreams.indices.flatMap { giveUp($0, at: now) }
    }

    /// A client does not want the answer to a call any more that waits for its server: it gets what a server would say, with
    /// the next tasks.
    mutating func cancelWaiting(_ id: UInt64, at now: UInt64) {
        dueAnswers += endWaiting(id, .cancelled, ErrorAnswer.frame(id, "Canceled", "Canceled"), at: now)
    }

    /// Ends a call that waits for its server.
    ///
    /// - Returns: Its answer.
    mutating func endWaiting(
        _ id: UInt64,
        _ outcome: AuditRequest.Outcome,
        _ answer: [UInt8],
        at now: UInt64
    ) -> [UInt8] {
        guard let call = clientRequests.answer(id) else { return [] }
        upstreams[call.upstream].waitingCalls -= 1
        repeatable.forget(id)
        terms.identityLoad?.removeCalls(1)
        count(call, outcome)
        ended(clientRequests.takeRecord(id), outcome, answer.count, at: now)
        return answer
    }
}
