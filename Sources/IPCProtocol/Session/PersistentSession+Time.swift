// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension PersistentSession {
    /// Nothing came from the peer for too long, while something waited for its acknowledgement.
    ///
    /// The session only says so, with the numbers that VS Code gives; whoever has the connection should close it.
    public struct TimeOut: Sendable, Hashable {
        /// The messages that are not acknowledged.
        public var unacknowledgedCount: Int
        /// The time since the oldest of them was sent on this connection.
        public var oldestAge: UInt64
        /// The time since anything came.
        public var silence: UInt64
    }

    /// When ``advance(to:)`` has to be called at the latest; `UInt64.max` for not at all.
    ///
    /// Whoever calls much later is taken to have been stopped for the time between, see ``advance(to:)``.
    public var nextDeadline: UInt64 {
        guard link == .open, isAlive else { return promisedCall }
        let replay = window.isReplaying ? .max : replays.dueAt
        let request = takesMessages ? replayRequests.dueAt : .max
        return min(promisedCall, replay, request)
    }

    /// Does what is due, so that there may be frames to write.
    ///
    /// - Parameter now: The time.
    /// - Returns: That the peer seems to be dead, at most once in a time-out. A process that was itself stopped does not
    ///   say so before it has listened for another six seconds.
    public mutating func advance(to now: UInt64) -> TimeOut? {
        noteCall(at: now)
        guard link != .detached, isAlive else { return nil }
        if keepAlive.take(at: now) {
            isKeepAlivePending = true
            acknowledgement.acknowledged()
        }
        guard link == .open else { return nil }
        if acknowledgement.dueAt <= now {
            acknowledgement.acknowledged()
            isAckPending = true
        }
        requestReplayIfDue(at: now)
        replayIfDue(at: now)
        guard let oldest = window.oldestSentAt, let silence = liveness.silence(oldest: oldest, at: now) else {
            return nil
        }
        return TimeOut(unacknowledgedCount: window.count, oldestAge: now.since(oldest), silence: silence)
    }

    /// The part of ``nextDeadline`` that lies ahead at the time of each call, so that who is late is known to be.
    private var promisedCall: UInt64 {
        guard link != .detached, isAlive else { return .max }
        guard link == .open else { return keepAlive.dueAt }
        return min(keepAlive.dueAt, acknowledgement.dueAt, liveness.dueAt(oldest: window.oldestSentAt))
    }

    /// Every call shows that the process runs.
    mutating func noteCall(at now: UInt64) {
        liveness.called(at: now, promised: promisedCall)
    }
}
