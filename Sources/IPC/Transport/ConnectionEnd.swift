// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a connection ended. Calls that were waiting for their answer fail with it.
public struct ConnectionEnd: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of ends.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The peer closed in order.
        case closed
        /// This side closed: `dispose()`, or a shutdown.
        case disposed
        /// The transport failed: a reset, a time-out, an end without TLS's close_notify.
        case lost
        /// The peer, such as a gateway, said why it closes; the reason is its words.
        case refused
        /// The peer sent what the protocol does not allow.
        case malformed
        /// The peer did not read what it was sent.
        case slowPeer = "slow-peer"
        /// The peer did not say who it is in time.
        case noContext = "no-context"
    }

    /// The kind of end.
    public var code: Code

    /// What happened, for a person.
    public var reason: String

    /// Creates an end.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The end that `dispose()` makes.
    public static let disposed = Self(.disposed, "the connection was closed by this side")

    /// The end that an orderly close by the peer makes.
    public static let closed = Self(.closed, "the peer closed the connection")

    /// Reason and code.
    public var description: String { "\(reason) (\(code.rawValue))" }
}
