// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Why a connection was, or has to be, closed.
public struct CloseReason: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, as a name that logs, tests and alerts can rely on.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The name, in kebab case.
        public var rawValue: String

        /// Makes a code of a name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// Both sides finished in order.
        public static let finished = Code(rawValue: "finished")
        /// Closed before the first byte of TLS: a health check, or a port scan.
        public static let closedBeforeHandshake = Code(rawValue: "closed-before-handshake")
        /// The TLS handshake took too long.
        public static let handshakeTimeout = Code(rawValue: "handshake-timeout")
        /// The context did not come in time.
        public static let contextTimeout = Code(rawValue: "context-timeout")
        /// No client entry matches the certificate.
        public static let identityNotMapped = Code(rawValue: "identity-not-mapped")
        /// The certificate leads to more than one client.
        public static let identityAmbiguous = Code(rawValue: "identity-ambiguous")
        /// The certificate's fields cannot be used as the configuration wants.
        public static let identityRefused = Code(rawValue: "identity-refused")
        /// The announced context is not one that this client may have.
        public static let contextNotAllowed = Code(rawValue: "context-not-allowed")
        /// The local server could not be dialled.
        public static let upstreamUnavailable = Code(rawValue: "upstream-unavailable")
        /// The local server did not accept or did not say `Initialize` in time.
        public static let upstreamTimeout = Code(rawValue: "upstream-timeout")
        /// The local server closed while the client had not.
        public static let upstreamClosed = Code(rawValue: "upstream-closed")
        /// The local server sent what the protocol does not allow.
        public static let upstreamMalformed = Code(rawValue: "upstream-malformed")
        /// The client's connection ended inside a frame.
        public static let endedInsideFrame = Code(rawValue: "ended-inside-frame")
        /// A socket failed, most often because the peer reset the connection.
        public static let connectionLost = Code(rawValue: "connection-lost")
        /// One side had finished and the other neither sent nor finished in time.
        public static let drainTimeout = Code(rawValue: "drain-timeout")
        /// A frame began and its rest did not come in time.
        public static let frameTimeout = Code(rawValue: "frame-timeout")
        /// Nothing came from either side for too long.
        public static let idleTimeout = Code(rawValue: "idle-timeout")
        /// One side has taken nothing of what is queued for it for too long.
        public static let stallTimeout = Code(rawValue: "stall-timeout")
        /// Too many newcomers; the oldest made room.
        public static let newcomerLimit = Code(rawValue: "newcomer-limit")
        /// Too many clients.
        public static let clientLimit = Code(rawValue: "client-limit")
        /// Too many clients of one identity.
        public static let identityLimit = Code(rawValue: "identity-limit")
        /// The client used an id again that was open.
        public static let duplicateID = Code(rawValue: "duplicate-id")
        /// Too many bytes of incomplete frames.
        public static let incompleteLimit = Code(rawValue: "incomplete-limit")
        /// The certificate is on the deny list.
        public static let certificateDenied = Code(rawValue: "certificate-denied")
        /// The client of a session did not come back in time.
        public static let sessionExpired = Code(rawValue: "session-expired")
        /// The session goes on over another connection.
        public static let takenOver = Code(rawValue: "taken-over")
        /// Nothing came from the client although something waited for its acknowledgement.
        public static let silent = Code(rawValue: "silent")
        /// The client lost its connection, and the gateway has too many sessions already that wait for their clients.
        public static let detachedLimit = Code(rawValue: "detached-limit")
        /// What let the client in does not any more: its certificate, its entry or its context.
        public static let revoked = Code(rawValue: "revoked")
        /// The configuration leads the client to other servers now.
        public static let serversChanged = Code(rawValue: "servers-changed")
        /// An operator has closed it.
        public static let closedByOperator = Code(rawValue: "closed-by-operator")
        /// The gateway is stopping.
        public static let stopping = Code(rawValue: "stopping")
        /// The gateway itself ran out of something, or failed.
        public static let gatewayFailure = Code(rawValue: "gateway-failure")
    }

    /// What happened.
    public var code: Code
    /// A sentence for people.
    public var message: String

    /// Makes a reason.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The reason that a failure of a persistent session is.
    public init(_ failure: SessionFailure) {
        self.init(Code(rawValue: failure.code.rawValue), failure.message)
    }

    /// The code and the sentence.
    public var description: String {
        "\(code.rawValue): \(message)"
    }
}
