// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Where operators reach the gateway, and how it finds out whether it is of use.
public struct AdminSettings: Sendable, Hashable {
    /// What local servers are told by who asks after their health, when nothing else is written.
    public static let standardContext = "ipc-gateway-health"

    /// The path of the Unix socket; only the gateway's own user, and root, may connect.
    public var unix: String
    /// A loopback address, too; nil for none. Whoever has an account on the machine may connect.
    public var address: ListenerAddress?
    /// Whether more than metrics and health is to be had at the address: everything that the socket gives.
    public var isControlledByAddress = false
    /// The context that local servers are given when their health is asked after.
    public var healthContext = AdminSettings.standardContext
    /// How long they may take to answer, in nanoseconds.
    public var healthDeadline: UInt64 = 2_000_000_000

    /// Makes settings.
    public init(unix: String) {
        self.unix = unix
    }
}

/// When the gateway looks by itself whether its files have changed.
public struct ReloadSettings: Sendable, Hashable {
    /// Time between two looks, in nanoseconds; nil for never.
    public var interval: UInt64?

    /// Makes settings.
    public init(interval: UInt64? = nil) {
        self.interval = interval
    }
}
