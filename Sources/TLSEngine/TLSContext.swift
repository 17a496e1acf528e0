// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A complete TLS configuration, read from its files and checked, from which sessions are made.
///
/// It never changes: to load new certificates make a new one. Sessions keep the one they were made from. What it does
/// collect are the sessions that clients may resume (see `TLSConfiguration.sessionLifetime`), which end with it.
public final class TLSContext: @unchecked Sendable {
    // Unchecked: the SSL_CTX is only changed in `init`; afterwards threads share it for SSL_new, which OpenSSL allows.
    let pointer: OpaquePointer
    /// What the callback of the SSL_CTX refers to without owning it.
    private let applicationProtocols: ApplicationProtocolList

    let role: TLSConfiguration.Role
    let minimumVersion: TLSVersion
    let applicationProtocolNames: [String]
    let clock: @Sendable () -> Int64
    let sessionLifetime: Int64
    /// What clients may resume; nil for a client, and when resumption is off.
    let sessions: SessionCache?
    /// What need not be verified again; nil for a client, and when resumption is off.
    let verifiedChains: VerifiedChains?
    let ownerAllowsResumption: (@Sendable (ResumptionEvidence) -> Bool)?
    let revocationLists: [RevocationList]
    let keyLog: KeyLog?
    /// What was left out or looks wrong without being an error, for a log: groups the library does not know, an own
    /// certificate that has expired, secrets that others can read, a key log.
    public let notes: [String]
    /// What of it ends when: own certificates, authorities, revocation lists.
    public let expiries: [TLSExpiry]
    /// The own certificate, if there is one.
    public let certificate: CertificateIdentity?

    private static let largestCertificateList = 64 * 1024
    private static let verificationDepth: Int32 = 8
    static let securityLevel: Int32 = 2

    /// Whether the sessions read and write records themselves once the handshake is complete. Clients do not: servers may
    /// send them messages that only OpenSSL knows.
    var ownsRecords: Bool { self.role == .server }

    /// Reads the files and checks everything.
    ///
    /// - Throws: The first thing that is wrong, and what to do about it.
    public init(_ configuration: TLSConfiguration) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        try Self.check(configuration)
        let method = configuration.role == .server ? TLS_server_method() : TLS_client_method()
        guard let pointer = SSL_CTX_new(method) else {
            let message = "OpenSSL cannot make a context: \(OpenSSLErrors.take().text)"
            throw TLSConfigurationError(message: message)
        }
        self.pointer = pointer
        self.role = configuration.role
        self.minimumVersion = configuration.minimumVersion
        self.applicationProtocolNames = configuration.applicationProtocols
        self.clock = configuration.clock
        self.sessionLifetime = Int64(configuration.sessionLifetime)
        self.ownerAllowsResumption = configuration.mayResume
        self.applicationProtocols = try Self.freeing(pointer) { () throws(TLSConfigurationError) in
            try ApplicationProtocolList(configuration.applicationProtocols)
        }
        self.sessions = try Self.freeing(pointer) { () throws(TLSConfigurationError) in
            try Self.makeSessionCache(configuration)
        }
        self.verifiedChains = self.sessions == nil ? nil : VerifiedChains()
        let loaded = try Self.freeing(pointer) { () throws(TLSConfigurationError) in
            try Self.load(pointer, configuration)
        }
        self.certificate = loaded.certificate
        self.revocationLists = loaded.revocationLists
        self.keyLog = loaded.keyLog
        self.notes = loaded.notes
        self.expiries = loaded.expiries
        // Borrowed: OpenSSL's callbacks come from connections, which own this object.
        SSL_CTX_set_ex_data(pointer, Self.exDataIndex, Unmanaged.passUnretained(self).toOpaque())
        self.applicationProtocols.install(in: pointer, role: configuration.role)
    }

    deinit {
        SSL_CTX_free(self.pointer)
    }

    /// The OpenSSL that is loaded, which may be newer than the one this was built with: `OpenSSL 3.5.1 1 Jul 2025`.
    public static var libraryVersion: String {
        OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "unknown"
    }

    /// Where an `SSL_CTX` keeps its context.
    private static let exDataIndex = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil, nil)

    /// The sessions of the context that a callback of OpenSSL is about.
    static func sessionCache(of pointer: OpaquePointer) -> SessionCache? {
        guard let context = SSL_CTX_get_ex_data(pointer, Self.exDataIndex) else {
            return nil
        }
        return Unmanaged<TLSContext>.fromOpaque(context).takeUnretainedValue().sessions
    }

    /// A class whose `init` throws half-way has no `deinit`, so the pointer is freed here.
    private static func freeing<R>(
        _ pointer: OpaquePointer,
        _ body: () throws(TLSConfigurationError) -> R
    ) throws(TLSConfigurationError) -> R {
        do throws(TLSConfigurationError) {
            return try body()
        } catch {
            SSL_CTX_free(pointer)
            throw error
        }
    }

    // MARK: Settings

    private struct Loaded {
        var certificate: CertificateIdentity?
        var revocationLists: [RevocationList] = []
        var keyLog: KeyLog?
        var notes: [String] = []
        var expiries: [TLSExpiry] = []
    }

    /// Fills a new `SSL_CTX`.
    private static func load(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration
    ) throws(TLSConfigurationError) -> Loaded {
        var loaded = Loaded()
        Self.setFixedSettings(pointer)
        try Self.setCiphers(pointer, configuration)
        loaded.notes += try Self.setGroups(pointer, configuration)
        loaded.certificate = try Self.loadCredentials(pointer, configuration, &loaded.expiries)
        loaded.notes += Self.periodNotes(loaded.certificate, configuration)
        loaded.notes += Self.secrecyNotes(configuration)
        try Self.loadTrustAnchors(pointer, configuration, &loaded.expiries)
        loaded.revocationLists = try Self.loadRevocationLists(pointer, configuration)
        loaded.expiries += loaded.revocationLists.compactMap(TLSExpiry.init)
        Self.setResumption(pointer, configuration)
        if configuration.keyLogFile != nil || configuration.role == .server { KeyLog.install(in: pointer) }
        if let path = configuration.keyLogFile {
            let keyLog = try KeyLog(path: path)
            loaded.notes.append(keyLog.note)
            loaded.keyLog = keyLog
        }
        return loaded
    }

    static func check(_ configuration: TLSConfiguration) throws(TLSConfigurationError) {
        let hasCertificate = configuration.certificateChainFile != nil
        if hasCertificate != (configuration.privateKeyFile != nil) {
            let missing = hasCertificate ? "the private key" : "the certificate"
            throw TLSConfigurationError(message: "certificate and private key belong together; \(missing) is not given")
        }
        if configuration.revocationListsFile != nil, configuration.trustAnchorsFile == nil {
            throw TLSConfigurationError(message: "revocation lists are given, but no authorities that could issue them")
        }
        switch configuration.role {
        case .server:
            if !hasCertificate {
                throw TLSConfigurationError(message: "a server needs a certificate and its private key")
            }
            if configuration.requireClientCertificate, configuration.trustAnchorsFile == nil {
                let message = "client certificates are required, so a file with the authorities that issue them is too"
                throw TLSConfigurationError(message: message)
            }
        case .client:
            if configuration.trustAnchorsFile == nil {
                let message = "a client needs a file with the authorities that issue servers' certificates"
                throw TLSConfigurationError(message: message)
            }
        }
    }

    /// What the sessions of all contexts say that they are for.
    static func withSessionIDContext<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let text: StaticString = "ipc-gateway"
        return text.withUTF8Buffer(body)
    }

    private static func setFixedSettings(_ pointer: OpaquePointer) {
        copenssl_SSL_CTX_set_fixed_options(pointer, self.largestCertificateList)
        SSL_CTX_set_security_level(pointer, self.securityLevel)
        SSL_CTX_set_num_tickets(pointer, 0)
        SSL_CTX_set_max_early_data(pointer, 0)
        SSL_CTX_set_recv_max_early_data(pointer, 0)
        // Without an id OpenSSL refuses connections that verify clients as soon as anything is resumed.
        _ = self.withSessionIDContext { SSL_CTX_set_session_id_context(pointer, $0.baseAddress, UInt32($0.count)) }
        let parameters = SSL_CTX_get0_param(pointer)
        X509_VERIFY_PARAM_set_depth(parameters, self.verificationDepth)
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_X509_STRICT))
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        SSL_CTX_set_default_passwd_cb(pointer, refusePassphrase)
        TLSChatter.install(in: pointer)
    }

    private static func periodNotes(
        _ certificate: CertificateIdentity?,
        _ configuration: TLSConfiguration
    ) -> [String] {
        guard let certificate, let file = configuration.certificateChainFile else {
            return []
        }
        let now = configuration.clock()
        if now > certificate.notAfter {
            return ["\(file): the certificate expired on \(UTCTime.format(certificate.notAfter))"]
        }
        if now < certificate.notBefore {
            return ["\(file): the certificate is not valid before \(UTCTime.format(certificate.notBefore))"]
        }
        return []
    }
}

private func refusePassphrase(
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int32,
    isWriting: Int32,
    context: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
