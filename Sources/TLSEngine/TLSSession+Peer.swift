// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSSession {
    /// What was agreed upon; nil until the handshake is complete.
    public var negotiated: NegotiatedTLS? {
        if let finished { return finished.negotiated }
        guard self.isHandshakeComplete, let version = TLSVersion(number: SSL_version(self.ssl)) else {
            return nil
        }
        defer { OpenSSLErrors.clear() }
        let name = copenssl_SSL_get_cipher_name(self.ssl).map { String(cString: $0) } ?? "unknown"
        // The name that is there already, so that a connection at rest does not hold one of its own.
        let cipher = RecordSuite.find(name)?.suite.name ?? name
        let group = copenssl_SSL_get_negotiated_group_name(self.ssl).map { Self.groupName(String(cString: $0)) }
        return NegotiatedTLS(
            version: version,
            cipher: cipher,
            group: group,
            applicationProtocol: self.selectedApplicationProtocol
        )
    }

    /// Whose the peer's certificate is; nil when it has sent none, and for a client until the handshake is complete. In a resumed session it is the certificate that was
    /// verified when the session began, whatever the peer would show now.
    ///
    /// - Throws: `.badCertificate` when a name in it cannot be trusted.
    public func peerCertificate() throws(TLSError) -> CertificateIdentity? {
        if let record = self.verificationRecord {
            return record.evidence.leaf
        }
        if let shown = self.finished?.shown {
            return try shown.certificate.get()
        }
        // Until then a client would see the certificate of the session that it offers.
        guard self.context.role == .server || self.isHandshakeComplete else {
            return nil
        }
        OpenSSLErrors.clear()
        guard let pointer = SSL_get1_peer_certificate(self.ssl) else {
            return nil
        }
        return try CertificateIdentity(X509Certificate(owning: pointer))
    }

    /// The name a client asks the server for by SNI, as a server sees it; for logs, never for decisions. Unknown in a
    /// resumed session of TLS 1.2.
    public var requestedServerName: String? {
        if let finished { return finished.requestedServerName }
        return SSL_get_servername(self.ssl, TLSEXT_NAMETYPE_host_name).map {
            CertificateText.escapingControls(String(cString: $0))
        }
    }

    private var selectedApplicationProtocol: String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(self.ssl, &start, &count)
        guard let start, count > 0 else {
            return nil
        }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// OpenSSL's names for the curves differ from those everybody configures.
    private static func groupName(_ name: String) -> String {
        switch name {
        case "secp256r1", "prime256v1": "P-256"
        case "secp384r1": "P-384"
        case "secp521r1": "P-521"
        case "x25519": "X25519"
        case "x448": "X448"
        default: name
        }
    }
}

// MARK: For the session itself

extension TLSSession {
    /// Where an `SSL` keeps its session.
    static let exDataIndex = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nil, nil, nil, nil)

    /// The session whose peer is being verified. Borrowed: it is in the middle of a call.
    static func verifying(_ store: OpaquePointer?) -> TLSSession? {
        let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
        return Self.of(ssl.map { OpaquePointer($0) })
    }

    /// Keeps the first failure only: later ones are often its consequences.
    func noteVerificationFailure(_ store: OpaquePointer?) {
        if self.verificationFailure == nil {
            self.verificationFailure = VerificationFailure(store)
        }
    }

    /// A client tells the server whom it wants, and OpenSSL whom the certificate must be for.
    ///
    /// - Returns: The name.
    func expect(_ serverName: String?) throws(TLSError) -> String {
        guard let serverName, !serverName.isEmpty, !serverName.utf8.contains(0) else {
            throw TLSError(code: .misuse, message: "a client must say the name of the server it wants to reach")
        }
        let parameters = SSL_get0_param(self.ssl)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 {
            return serverName
        }
        guard X509_VERIFY_PARAM_set1_host(parameters, serverName, serverName.utf8.count) == 1,
            copenssl_SSL_set_tlsext_host_name(self.ssl, serverName) == 1
        else {
            throw TLSError(code: .misuse, message: "\"\(serverName)\" is not the name of a server")
        }
        return serverName
    }

    /// Not every version of OpenSSL checks that a server chose from what was offered.
    func checkApplicationProtocol() throws(TLSError) {
        guard self.context.role == .client, let chosen = self.selectedApplicationProtocol,
            !self.context.applicationProtocolNames.contains(where: { $0.utf8.elementsEqual(chosen.utf8) })
        else {
            return
        }
        let message = "the server chose an application protocol that was not offered"
        let error = TLSError(code: .protocolViolation, message: message)
        self.failure = error
        throw error
    }

    func throwEarlierFailure() throws(TLSError) {
        if let failure = self.failure {
            throw failure
        }
    }

    /// Makes an error from what OpenSSL left behind, keeps it for all later calls, and empties the queue.
    func fail() -> TLSError {
        let errors = OpenSSLErrors.take()
        let error: TLSError
        if let verification = self.verificationFailure, !self.isHandshakeComplete {
            error = verification.error(expectedName: self.serverName)
        } else {
            error = TLSError(
                errors,
                role: self.context.role,
                firstBytes: self.isHandshakeComplete ? nil : self.transport.firstBytes,
                ownMinimum: self.context.minimumVersion
            )
        }
        self.failure = error
        return error
    }

    /// Keeps an error of the records for all later calls. The session of a connection that failed is not resumed.
    func fail(_ error: TLSError) -> TLSError {
        self.failure = error
        if let keptSession { self.context.sessions?.remove(keptSession) }
        return error
    }
}
