// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The sessions that clients may resume, shared by all threads that use one context.
///
/// Bounded by count and by memory: the oldest go first. Those whose time is over go when a session is added or counted.
final class SessionCache: Sendable {
    private let state: Mutex<State>

    init(maximumCount: Int, maximumByteCount: Int) {
        self.state = Mutex(State(maximumCount: maximumCount, maximumByteCount: maximumByteCount))
    }

    /// Changes whenever sessions are forgotten. What began before that is not added after it.
    var epoch: UInt64 { self.state.withLock { $0.epoch } }

    func count(at now: Int64) -> Int {
        // Here and below: what was removed leaves the lock, to be freed outside of it.
        let result = self.state.withLock { state in
            state.removeOld(at: now)
            return (count: state.sessions.count, removed: state.takeRemoved())
        }
        return result.count
    }

    /// - Parameter epoch: That of the time when the connection began.
    func insert(_ session: StoredSession, epoch: UInt64, at now: Int64) {
        _ = self.state.withLock { state in
            state.removeOld(at: now)
            if state.epoch == epoch {
                state.insert(session)
            }
            return state.takeRemoved()
        }
    }

    /// A session for one connection. One of TLS 1.3 is taken out at the same moment.
    func claim(_ id: SessionID) -> StoredSession? {
        self.state.withLock { state in
            guard let session = state.slotsByID[id].flatMap({ state.sessions[$0] }) else {
                return nil
            }
            return session.isSingleUse ? state.take(id) : session
        }
    }

    func remove(_ id: SessionID) {
        _ = self.state.withLock { state in state.take(id) }
    }

    /// - Parameter isForgotten: Asked outside of the lock.
    /// - Returns: How many were removed.
    func remove(where isForgotten: (VerificationRecord) -> Bool) -> Int {
        let all = self.state.withLock { state in
            state.epoch += 1
            return state.sessions.all
        }
        let forgotten = all.filter { isForgotten($0.record) }
        return forgotten.count { session in self.state.withLock { state in state.take(session.id) } != nil }
    }
}

// MARK: Under the lock

extension SessionCache {
    fileprivate struct State {
        let maximumCount: Int
        let maximumByteCount: Int
        var sessions = AgeOrder<StoredSession>()
        var slotsByID: [SessionID: Int] = [:]
        var byteCount = 0
        var epoch: UInt64 = 0
        private var removed: [StoredSession] = []

        init(maximumCount: Int, maximumByteCount: Int) {
            self.maximumCount = maximumCount
            self.maximumByteCount = maximumByteCount
        }

        mutating func insert(_ session: StoredSession) {
            self.remove(session.id)
            guard session.byteCount <= self.maximumByteCount else {
                return
            }
            while self.sessions.count >= self.maximumCount
                || self.byteCount + session.byteCount > self.maximumByteCount
            {
                guard let oldest = self.sessions.oldest else { return }
                self.remove(oldest.id)
            }
            self.slotsByID[session.id] = self.sessions.append(session)
            self.byteCount += session.byteCount
        }

        mutating func removeOld(at now: Int64) {
            while let oldest = self.sessions.oldest, now >= oldest.record.usableBefore {
                self.remove(oldest.id)
            }
        }

        mutating func take(_ id: SessionID) -> StoredSession? {
            guard let slot = self.slotsByID.removeValue(forKey: id), let session = self.sessions.remove(slot) else {
                return nil
            }
            self.byteCount -= session.byteCount
            return session
        }

        /// What was removed since the last time.
        mutating func takeRemoved() -> [StoredSession] {
            let removed = self.removed
            self.removed = []
            return removed
        }

        private mutating func remove(_ id: SessionID) {
            if let session = self.take(id) {
                self.removed.append(session)
            }
        }
    }
}
