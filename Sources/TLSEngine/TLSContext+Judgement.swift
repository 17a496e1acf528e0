// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSContext {
    /// Judges the certificate of a session's peer again, now and by this context's authorities and revocation lists.
    ///
    /// After new files were loaded this tells which of the live sessions would no longer be let in. The names in the
    /// certificate are not judged, and the session itself is not changed. Call it on the session's thread.
    ///
    /// - Throws: The same errors as a handshake; `.noClientCertificate` when the peer has shown none.
    public func judgePeer(of session: TLSSession) throws(TLSError) {
        guard let chain = session.peerChain() else {
            throw TLSError(code: .noClientCertificate, message: "the peer sent no certificate")
        }
        try self.judge(chain)
    }

    /// The same for a peer whose session is over, by the certificates that it had shown.
    public func judge(_ chain: PeerChain) throws(TLSError) {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        let others = copenssl_sk_X509_new()
        // Takes the certificates with it.
        defer { copenssl_sk_X509_pop_free(others) }
        var leaf: X509Certificate?
        for encoded in chain.certificates {
            let certificate = try X509Certificate(encoded: encoded)
            guard leaf != nil else {
                leaf = certificate
                continue
            }
            // The stack takes a reference of its own.
            X509_up_ref(certificate.pointer)
            if copenssl_sk_X509_push(others, certificate.pointer) <= 0 {
                X509_free(certificate.pointer)
                throw TLSError(code: .other, message: "OpenSSL has no memory for a chain")
            }
        }
        guard let leaf else {
            throw TLSError(code: .noClientCertificate, message: "the peer sent no certificate")
        }
        try self.verify(leaf, others)
    }

    private func verify(_ leaf: X509Certificate, _ chain: OpaquePointer?) throws(TLSError) {
        guard let verification = X509_STORE_CTX_new() else {
            throw TLSError(code: .other, message: "OpenSSL cannot verify: \(OpenSSLErrors.take().text)")
        }
        defer { X509_STORE_CTX_free(verification) }
        let store = SSL_CTX_get_cert_store(self.pointer)
        // The peer of a server is a client, and the other way round.
        let purpose = self.role == .server ? "ssl_client" : "ssl_server"
        guard X509_STORE_CTX_init(verification, store, leaf.pointer, chain) == 1,
            X509_STORE_CTX_set_default(verification, purpose) == 1
        else {
            throw TLSError(code: .other, message: "OpenSSL cannot verify: \(OpenSSLErrors.take().text)")
        }
        let parameters = X509_STORE_CTX_get0_param(verification)
        X509_VERIFY_PARAM_set1(parameters, SSL_CTX_get0_param(self.pointer))
        X509_VERIFY_PARAM_set_auth_level(parameters, Self.securityLevel)
        X509_STORE_CTX_set_time(verification, 0, time_t(self.clock()))
        guard X509_verify_cert(verification) == 1 else {
            throw VerificationFailure(verification).error(expectedName: nil)
        }
    }
}
