// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a `TLSContext` is made from: plain values, checked when the context is made.
public struct TLSConfiguration: Sendable {
    /// Which end of a connection the sessions are.
    public enum Role: Sendable {
        /// Accepts connections.
        case server
        /// Opens connections.
        case client
    }

    /// Which end of a connection the sessions are.
    public var role: Role
    /// A PEM file with the own certificate, then its intermediates. A server needs one.
    ///
    /// Here and for the other files: a value that begins with `file:`, `pkcs11:` or another scheme that OpenSSL has a
    /// store for is a URI, and OpenSSL loads what it names. A key in a token (`pkcs11:`) never leaves it.
    public var certificateChainFile: String?
    /// A PEM file with the private key of that certificate. It should be readable for its owner only; when it is not,
    /// `TLSContext.notes` says so.
    public var privateKeyFile: String?
    /// Where the passphrase of that key is, if it is encrypted, or the PIN of the token it is in.
    public var privateKeyPassphrase: PassphraseSource?
    /// A PEM file with the authorities that are believed: for clients' certificates on a server, for servers'
    /// certificates on a client. A client needs one, since the system's list is never used silently.
    public var trustAnchorsFile: String?
    /// A PEM file with revocation lists. When it is given, every certificate of a peer's chain must be covered by a
    /// current list of its issuer: a list that is missing or too old refuses.
    public var revocationListsFile: String?
    /// Server: a client without a certificate is refused. When it is off, a certificate is asked for only if there
    /// are trust anchors, and one that is sent must still be good.
    public var requireClientCertificate: Bool
    /// The oldest version that is spoken.
    public var minimumVersion: TLSVersion
    /// The newest version that is spoken; tests lower it to meet old peers.
    package var maximumVersion = TLSVersion.tls13
    /// Cipher suites of TLS 1.3, by OpenSSL's (and the RFC's) names, the preferred first.
    public var cipherSuites: [String]
    /// Ciphers of TLS 1.2, in OpenSSL's notation.
    public var cipherList: String
    /// Key exchange groups, the preferred first. A name the library does not know at run time is left out and noted
    /// in `TLSContext.notes`.
    public var groups: [String]
    /// Server: the application protocols (ALPN) that are accepted, the preferred first; a client that offers others
    /// only is refused, one that offers none is not. Client: what is offered.
    public var applicationProtocols: [String]

    /// How many seconds after a full handshake its session may be resumed; 0, the default, turns resumption off.
    ///
    /// Server: sessions are kept by the `TLSContext`, for all threads that use it. They do not survive a restart, and
    /// not a reload, which is a new context: whoever resumes is judged by the certificates, authorities and revocation
    /// lists that judged the full handshake. A session is resumed only while every certificate of its verified chain is
    /// valid, the revocation lists that were in force are, and `mayResume` agrees; otherwise there is a full handshake,
    /// which gives the reason of a refusal. Resuming does not prolong it. In TLS 1.3 each ticket is good for one
    /// connection, which gets a new one; in TLS 1.2 the extended master secret is required. Only sessions whose client
    /// has shown a certificate are kept. The application protocol is always agreed upon anew.
    ///
    /// Client: with it `TLSSession.resumableSession` is there.
    public var sessionLifetime = 0
    /// Server: how many sessions are kept at most; the oldest are forgotten first.
    public var sessionCacheCount = 20_000
    /// Server: roughly how much memory they take at most, whatever certificates clients have (a short one takes some
    /// 8 KB, and each intermediate that comes with it 5 KB more).
    public var sessionCacheByteCount = 256 * 1024 * 1024
    /// The owner's judgement of a session that would be resumed, for instance by a list of denied certificates.
    ///
    /// It is called on the connection's thread in the middle of the handshake, before the client has proved that the
    /// session is its own, so it must be quick, must not use the connection, and must not take the evidence for a
    /// client that is there. `false` forgets the session and leads to a full handshake.
    public var mayResume: (@Sendable (ResumptionEvidence) -> Bool)?
    /// Writes the secrets of all connections to a file, for tools that show what was said (Wireshark). Whoever reads
    /// the file can read all traffic, so this is for debugging only, and `TLSContext.notes` says so.
    ///
    /// A file that does not exist yet is made with mode 0600; one that others could open is refused, and so is a link.
    public var keyLogFile: String?
    /// Makes the contexts of a client in place of `TLSContext.init`, for whoever goes on with older files while newer ones
    /// cannot be used (`CredentialReloader`).
    package var contextSource: (@Sendable (TLSConfiguration) throws(TLSConfigurationError) -> TLSContext)?
    /// Unix seconds, for everything that is judged by time: certificates, revocation lists, sessions.
    public var clock: @Sendable () -> Int64 = Self.systemClock

    /// The system's clock.
    public static let systemClock: @Sendable () -> Int64 = {
        var now: Int64 = 0
        copenssl_unix_time(&now)
        return now
    }

    /// Forward secret and authenticated; AES-128 first, since it is as safe as needed and the quickest.
    public static let defaultCipherSuites = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]
    /// Forward secret and authenticated.
    public static let defaultCipherList = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
    /// The hybrid post-quantum group where the library has it (OpenSSL 3.5), then the common curves.
    public static let defaultGroups = ["X25519MLKEM768", "X25519", "P-256", "P-384"]

    /// A configuration with the safe defaults; see the properties.
    public init(
        role: Role,
        certificateChainFile: String? = nil,
        privateKeyFile: String? = nil,
        trustAnchorsFile: String? = nil,
        revocationListsFile: String? = nil,
        requireClientCertificate: Bool = true,
        minimumVersion: TLSVersion = .tls13,
        cipherSuites: [String] = Self.defaultCipherSuites,
        cipherList: String = Self.defaultCipherList,
        groups: [String] = Self.defaultGroups,
        applicationProtocols: [String] = []
    ) {
        self.role = role
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.trustAnchorsFile = trustAnchorsFile
        self.revocationListsFile = revocationListsFile
        self.requireClientCertificate = requireClientCertificate
        self.minimumVersion = minimumVersion
        self.cipherSuites = cipherSuites
        self.cipherList = cipherList
        self.groups = groups
        self.applicationProtocols = applicationProtocols
    }
}
