// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Servers that come and go, and what is done without being asked: by deadlines, and after losses.
extension GatewaySession {
    /// Whether a server has said `Initialize` since it was dialled.
    public func isReady(_ upstream: Int) -> Bool {
        upstreams[upstream].isReady
    }

    /// Whether a server may be dialled now: it has not been, and is not to be left alone for a while.
    public func mayDial(_ upstream: Int) -> Bool {
        upstreams[upstream].phase == .idle
    }

    /// Whether the session goes on when a server is lost.
    public func survivesLoss(of upstream: Int) -> Bool {
        terms.upstreams[upstream].whenLost == .redial
    }

    /// Takes note that a server is dialled.
    ///
    /// - Returns: What it gets first, in one write, as VS Code's clients do it: the authenticated context, `Initialize`,
    ///   and if it was lost with them the client's subscriptions, then the calls that may be repeated. These two are no
    ///   more than `limits.queueBytes`.
    public mutating func openUpstream(_ upstream: Int) -> [UInt8] {
        upstreams[upstream].phase = .open
        return Frame.regular(IPCMessage.context(context ?? "")).encoded() + Self.initialize
            + subscribeAgain(upstream) + repeatCalls(upstream)
    }

    /// Takes note of whether a server's queue is full.
    ///
    /// - Returns: What the server gets now that it is not: subscriptions that waited.
    public mutating func setFull(_ upstream: Int, _ isFull: Bool) -> [UInt8] {
        guard upstreams[upstream].isFull != isFull else { return [] }
        upstreams[upstream].isFull = isFull
        return isFull ? [] : subscribeAgain(upstream)
    }

    private mutating func subscribeAgain(_ upstream: Int) -> [UInt8] {
        guard upstreams[upstream].waitingListens > 0 else { return [] }
        upstreams[upstream].waitingListens = 0
        var frames: [UInt8] = []
        // In the order of their ids, which for VS Code's clients is that in which they were made.
        for id in clientRequests.ids(where: { $0.state == .waitingListen && $0.upstream == upstream }) {
            frames += keptListens[id] ?? []
            clientRequests.update(id, to: .listen)
        }
        return frames
    }

    /// Takes note that a server is gone, or cannot be reached.
    ///
    /// Its open calls are answered with an error, but for those that are made again when it is back. What it asked of the
    /// client is called off. Subscriptions stay, and are made again when it is back.
    ///
    /// - Parameter wasReached: Whether it may have got any of the requests.
    public mutating func lostUpstream(_ upstream: Int, wasReached: Bool, at now: UInt64) -> [Task] {
        var frames: [UInt8] = []
        for id in clientRequests.ids(where: { $0.state.isCall && $0.upstream == upstream }) {
            guard let call = clientRequests[id], !waits(id, call, wasReached: wasReached) else { continue }
            clientRequests.close(id)
            terms.identityLoad?.removeCalls(1)
            let record = clientRequests.takeRecord(id)
            if call.state == .answeredCall { continue }
            let answer =
                wasReached
                ? ErrorAnswer.lost(id)
                : ErrorAnswer.frame(
                    id,
                    "UpstreamUnavailable",
                    "The server behind the gateway is not there; the call was not passed. Try later."
                )
            count(call, wasReached ? .lost : .unavailable)
            ended(record, wasReached ? .lost : .unavailable, answer.count, at: now)
            frames += answer
        }
        for id in clientRequests.ids(where: { $0.state == .listen && $0.upstream == upstream }) {
            clientRequests.update(id, to: .waitingListen)
            upstreams[upstream].waitingListens += 1
        }
        for id in serverRequests.ids(where: { $0.upstream == upstream }) {
            guard let request = serverRequests[id] else { continue }
            // A call that was cancelled already has nobody left to tell.
            switch request.state {
            case .listen: frames += Frame.regular(IPCMessage.unlisten(id: id)).encoded()
            case .call: frames += Frame.regular(IPCMessage.cancel(id: id)).encoded()
            default: break
            }
            count(request, .lost)
            ended(serverRequests.takeRecord(id), .lost, at: now)
            serverRequests.close(id)
        }
        upstreams[upstream].lost(at: now)
        upstreams[upstream].waits(wasReached: wasReached, at: now)
        return frames.isEmpty ? [] : [.tellClient(frames)]
    }

    // MARK: Time

    /// When ``expire(at:)`` has something to do; `UInt64.max` when never.
    ///
    /// Nothing changes. It is mutating because whoever only looks at a session that belongs to an object gets a copy of it,
    /// and this is asked in every turn.
    public var nextDeadline: UInt64 {
        mutating get {
            guard dueAnswers.isEmpty else { return 0 }
            var next = min(deadlines.next, delayed.next)
            for index in upstreams.indices {
                if case .down(let until) = upstreams[index].phase, isWanted(index) { next = min(next, until) }
                if upstreams[index].waitingCalls > 0 { next = min(next, upstreams[index].waitsUntil) }
            }
            return next
        }
    }

    /// Whether a server is dialled without a request for it: it calls first, or the client listens to it, or calls wait.
    private func isWanted(_ upstream: Int) -> Bool {
        terms.upstreams[upstream].eager || upstreams[upstream].waitingListens + upstreams[upstream].waitingCalls > 0
    }

    /// Does what is due: answers to calls whose time is over, answers that waited, servers that are tried again.
    public mutating func expire(at now: UInt64) -> [Task] {
        var tasks: [Task] = []
        if !dueAnswers.isEmpty {
            tasks.append(.tellClient(dueAnswers))
            dueAnswers = []
        }
        while let (id, frame) = delayed.popDue(at: now) {
            clientRequests.close(id)
            tasks.append(.tellClient(frame))
        }
        while let due = deadlines.popDue(at: now) {
            guard let call = clientRequests[due.id], call.deadline == due.deadline, call.state != .answeredCall else {
                continue
            }
            let answer = ErrorAnswer.frame(
                due.id,
                "DeadlineExceeded",
                "The server did not answer within the time that the gateway allows for this call. It was cancelled."
            )
            guard call.state != .waitingCall else {
                tasks.append(.tellClient(endWaiting(due.id, .deadline, answer, at: now)))
                continue
            }
            clientRequests.update(due.id, to: .answeredCall)
            repeatable.forget(due.id)
            if call.state == .call {
                tasks.append(.tellServer(call.upstream, Frame.regular(IPCMessage.cancel(id: due.id)).encoded()))
            }
            count(call, .deadline)
            ended(clientRequests.takeRecord(due.id), .deadline, answer.count, at: now)
            tasks.append(.tellClient(answer))
        }
        for index in upstreams.indices {
            tasks += giveUpWaiting(index, at: now)
            guard case .down(let until) = upstreams[index].phase, now >= until, isWanted(index) else { continue }
            upstreams[index].phase = .idle
            tasks.append(.dial(index))
        }
        return tasks
    }
}
