// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Bounds on what comes through one listener, over all threads; nil for as many as the gateway takes.
public struct ListenerLimits: Sendable, Hashable {
    /// Clients with an accepted context.
    public var clients: Int?
    /// Connections accepted per second, and as many at once.
    public var handshakesPerSecond: Int?
    /// Connections that are in the TLS handshake at the same time.
    public var handshakesAtOnce: Int?

    /// Makes a set of limits.
    public init(clients: Int? = nil, handshakesPerSecond: Int? = nil, handshakesAtOnce: Int? = nil) {
        self.clients = clients
        self.handshakesPerSecond = handshakesPerSecond
        self.handshakesAtOnce = handshakesAtOnce
    }
}
