// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a connection failed, as a code for programs and a text for people.
public struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure; the raw value is what logs show.
    public enum Code: String, Sendable, CaseIterable {
        /// The peer's first bytes are not TLS.
        case notTLS = "not-tls"
        /// The client sent no certificate although one is required.
        case noClientCertificate = "no-client-certificate"
        /// A certificate of the peer's chain is no longer valid.
        case certificateExpired = "certificate-expired"
        /// A certificate of the peer's chain is not valid yet.
        case certificateNotYetValid = "certificate-not-yet-valid"
        /// The peer's chain does not end at a trust anchor.
        case issuerUnknown = "issuer-unknown"
        /// The certificate is not for this use, for instance a server's certificate shown by a client.
        case wrongPurpose = "wrong-purpose"
        /// A certificate of the peer's chain is revoked.
        case certificateRevoked = "certificate-revoked"
        /// Whether a certificate is revoked cannot be known: its issuer's list is missing or too old.
        case revocationUnknown = "revocation-unknown"
        /// The certificate is malformed, too weak, wrongly signed, or has names that cannot be trusted.
        case badCertificate = "bad-certificate"
        /// There is no cipher that both ends accept.
        case noSharedCipher = "no-shared-cipher"
        /// There is no key exchange group that both ends accept.
        case noSharedGroup = "no-shared-group"
        /// There is no protocol version that both ends accept.
        case protocolVersion = "protocol-version"
        /// The client offers application protocols, but none of ours.
        case noApplicationProtocol = "no-application-protocol"
        /// The peer gave up and said why.
        case peerAlert = "peer-alert"
        /// The server's certificate is for another name.
        case hostnameMismatch = "hostname-mismatch"
        /// The peer broke the rules of TLS.
        case protocolViolation = "protocol-violation"
        /// The session was used in a way it does not allow, for instance written to after its close_notify.
        case misuse = "misuse"
        /// Anything else, for instance no memory.
        case other = "other"
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, with the names and dates a person needs.
    public var message: String

    /// A failure.
    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// The message, then the code.
    public var description: String { "\(self.message) (\(self.code.rawValue))" }
}
