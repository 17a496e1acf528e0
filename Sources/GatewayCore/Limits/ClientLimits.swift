// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Bounds on what one client may have open and how fast it may be.
public struct ClientLimits: Sendable, Hashable {
    /// Calls that have not been answered, in each direction.
    public var callsOutstanding: Int
    /// Subscriptions, in each direction.
    public var listens: Int
    /// Calls and listens of the client per second, and as many at once; nil for any number.
    public var callsPerSecond: Int?
    /// Bytes per second in each direction, and as many at once; nil for any number.
    public var bytesPerSecond: Int?
    /// Bounds on all connections of one identity together.
    public var perIdentity: Shared

    /// Bounds on what the connections of one identity share.
    public struct Shared: Sendable, Hashable {
        /// Connections with an accepted context.
        public var clients: Int
        /// Calls that have not been answered; nil for as many as the connections have.
        public var callsOutstanding: Int?
        /// Calls and listens per second; nil for any number.
        public var callsPerSecond: Int?
        /// Bytes per second in each direction; nil for any number.
        public var bytesPerSecond: Int?

        /// Makes a set of limits.
        public init(
            clients: Int = 1024,
            callsOutstanding: Int? = nil,
            callsPerSecond: Int? = nil,
            bytesPerSecond: Int? = nil
        ) {
            self.clients = clients
            self.callsOutstanding = callsOutstanding
            self.callsPerSecond = callsPerSecond
            self.bytesPerSecond = bytesPerSecond
        }
    }

    /// Makes a set of limits; the defaults are those of docs/configuration.md.
    public init(
        callsOutstanding: Int = 16_384,
        listens: Int = 4096,
        callsPerSecond: Int? = nil,
        bytesPerSecond: Int? = nil,
        perIdentity: Shared = Shared()
    ) {
        self.callsOutstanding = callsOutstanding
        self.listens = listens
        self.callsPerSecond = callsPerSecond
        self.bytesPerSecond = bytesPerSecond
        self.perIdentity = perIdentity
    }
}
