// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the connections of one listener use up together, on whatever thread they are.
///
/// Its methods may be called from any thread.
public final class ListenerLoad: Sendable {
    /// Its place in ``GatewaySnapshot/listeners``.
    public let index: Int
    /// Where it listens, for logs.
    public let name: String
    /// The bounds.
    public let limits: ListenerLimits

    private let clients = Atomic<Int>(0)
    private let handshakes = Atomic<Int>(0)
    private let rate: SharedTokenBucket?

    /// Starts with nothing used up.
    public init(index: Int = 0, name: String, limits: ListenerLimits) {
        self.index = index
        self.name = name
        self.limits = limits
        rate = limits.handshakesPerSecond.map(SharedTokenBucket.init(perSecond:))
    }

    /// Whether another connection may be accepted now. If so, it counts as one that is in the handshake.
    public func beginHandshake(at now: UInt64) -> Bool {
        if let most = limits.handshakesAtOnce {
            guard handshakes.add(1, ordering: .relaxed).newValue <= most else {
                endHandshake()
                return false
            }
        }
        if let rate, !rate.take(1, at: now) {
            endHandshake()
            return false
        }
        return true
    }

    /// There was no connection after all.
    public func takeBack(at now: UInt64) {
        endHandshake()
        rate?.giveBack(1)
    }

    /// A connection is not in the handshake any more.
    public func endHandshake() {
        if limits.handshakesAtOnce != nil { handshakes.subtract(1, ordering: .relaxed) }
    }

    /// Counts one client more, if there is room.
    public func addClient() -> Bool {
        guard let most = limits.clients else { return true }
        guard clients.add(1, ordering: .relaxed).newValue <= most else {
            removeClient()
            return false
        }
        return true
    }

    /// Counts one client less.
    public func removeClient() {
        if limits.clients != nil { clients.subtract(1, ordering: .relaxed) }
    }
}
