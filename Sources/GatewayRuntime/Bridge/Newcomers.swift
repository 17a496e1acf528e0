// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The connections of a thread whose client is not known yet, in the order they came.
///
/// They have a pool of their own, so that strangers never take the places of clients. When it is full, those that have
/// let the gateway wait longest make room: who is who they say needs milliseconds. If nobody has, because a crowd
/// comes back at once, new connections wait in the system's queue.
final class Newcomers {
    /// The age from which a newcomer may be sent away for another, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000
    /// How many of the oldest are looked at for one that may go.
    private static let looks = 64

    private let limit: Int
    private var first: Bridge?
    private weak var last: Bridge?
    private var count = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether there is a place, after sending somebody away if need be.
    func makeRoom(at now: UInt64) -> Bool {
        guard count >= limit else { return true }
        var candidate = first
        for _ in 0..<Self.looks {
            guard let bridge = candidate, now >= bridge.acceptedAt + Self.patience else { return false }
            if !bridge.awaitsHandshakeTurn {
                bridge.makeRoom()
                return true
            }
            candidate = bridge.newer
        }
        return false
    }

    /// Takes in a connection.
    func add(_ bridge: Bridge) {
        bridge.older = last
        if let last { last.newer = bridge } else { first = bridge }
        last = bridge
        count += 1
    }

    /// Lets a connection out; nothing happens when it is not in.
    func remove(_ bridge: Bridge) {
        guard bridge.older != nil || first === bridge else { return }
        if let older = bridge.older { older.newer = bridge.newer } else { first = bridge.newer }
        if let newer = bridge.newer { newer.older = bridge.older } else { last = bridge.older }
        bridge.older = nil
        bridge.newer = nil
        count -= 1
    }
}
