// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The connections of a thread whose client is not known yet, in the order they came.
///
/// They have a pool of their own, so that strangers never take the places of clients. When it is full, those that let
/// the gateway wait make room. If nobody does, because a crowd comes back at once, new connections wait in the system's
/// queue. Who waits for the gateway, to have a step of the handshake done, is never sent away.
final class Newcomers {
    /// After how long without its first byte a newcomer may be sent away for another, in nanoseconds.
    private static let patienceForFirstByte: UInt64 = 250_000_000
    /// After how long since its last byte.
    private static let patienceForNextByte: UInt64 = 1_000_000_000
    /// How many of the oldest are looked at for one that may go.
    private static let looks = 256

    /// How many there may be.
    var limit = 1
    private var first: Bridge?
    private var last: Bridge?
    private var count = 0

    /// Whether there is a place, after sending somebody away if need be.
    func makeRoom(at now: UInt64) -> Bool {
        count < limit || sendOneAway(at: now)
    }

    /// Sends away the oldest of those who let the gateway wait.
    ///
    /// - Returns: Whether there was one.
    func sendOneAway(at now: UInt64) -> Bool {
        var candidate = first
        for _ in 0..<Self.looks {
            guard let bridge = candidate else { return false }
            if mayGo(bridge, now) {
                bridge.makeRoom()
                return true
            }
            candidate = bridge.newer
        }
        return false
    }

    private func mayGo(_ bridge: Bridge, _ now: UInt64) -> Bool {
        if bridge.awaitsHandshakeTurn { return false }
        if bridge.client.hasSentNothing { return now >= bridge.acceptedAt + Self.patienceForFirstByte }
        return now >= bridge.lastActivity + Self.patienceForNextByte
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
