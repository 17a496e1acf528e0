// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a server cannot listen.
public struct ListenError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of reasons.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Somebody else listens there.
        case inUse = "in-use"
        /// There is a file at the path, and it is not a socket.
        case notASocket = "not-a-socket"
        /// The path is too long for a Unix socket.
        case pathTooLong = "path-too-long"
        /// The system refused, for the reason that is given.
        case failed
    }

    /// The kind of reason.
    public var code: Code
    /// What happened, with the path or address, for a person.
    public var reason: String

    /// Creates an error.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// Reason and code.
    public var description: String { "\(reason) (\(code.rawValue))" }
}
