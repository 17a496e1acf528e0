// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSContext {
    /// Loads the own chain and key.
    ///
    /// - Returns: Whose the leaf is; nil when none is configured.
    static func loadCredentials(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration,
        _ expiries: inout [TLSExpiry]
    ) throws(TLSConfigurationError) -> CertificateIdentity? {
        guard let chainFile = configuration.certificateChainFile, let keyFile = configuration.privateKeyFile else {
            return nil
        }
        let chain = try CertificateFile.certificates(chainFile)
        expiries += chain.compactMap { TLSExpiry(.certificate, $0) }
        let passphrase: Passphrase? =
            if let source = configuration.privateKeyPassphrase { try Passphrase(source) } else { nil }
        let key = try CertificateFile.privateKey(keyFile, passphrase)
        guard X509_check_private_key(chain[0].pointer, key.pointer) == 1 else {
            let message = "the key does not belong to the certificate in \(chainFile)"
            throw TLSConfigurationError(file: keyFile, message: message)
        }
        guard SSL_CTX_use_certificate(pointer, chain[0].pointer) == 1 else {
            throw Self.unusable(chainFile, "the certificate")
        }
        for intermediate in chain.dropFirst() {
            guard copenssl_SSL_CTX_add1_chain_cert(pointer, intermediate.pointer) == 1 else {
                throw Self.unusable(chainFile, "an intermediate certificate")
            }
        }
        guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw Self.unusable(keyFile, "the key")
        }
        do throws(TLSError) {
            return try CertificateIdentity(chain[0])
        } catch {
            throw TLSConfigurationError(file: chainFile, message: error.message)
        }
    }

    /// What others than the owner may read although it is secret.
    static func secrecyNotes(_ configuration: TLSConfiguration) -> [String] {
        var notes: [String] = []
        if let key = configuration.privateKeyFile {
            let uri = StoreURI(key)
            notes += [FileMode.note(uri == nil ? key : uri?.path ?? "", "the private key")].compactMap(\.self)
        }
        if case .file(let path) = configuration.privateKeyPassphrase {
            notes += [FileMode.note(path, "the key's passphrase")].compactMap(\.self)
        }
        return notes
    }

    /// Loads the authorities that are believed and says that peers are verified.
    static func loadTrustAnchors(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration,
        _ expiries: inout [TLSExpiry]
    ) throws(TLSConfigurationError) {
        guard let file = configuration.trustAnchorsFile else {
            SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
            return
        }
        let store = SSL_CTX_get_cert_store(pointer)
        for (index, anchor) in try CertificateFile.certificates(file).enumerated() {
            expiries += [TLSExpiry(.authority, anchor)].compactMap(\.self)
            guard X509_check_ca(anchor.pointer) == 1 else {
                let subject = X509Certificate.text(of: X509_get_subject_name(anchor.pointer))
                let message = "certificate number \(index + 1) (\(subject)) is not a certificate authority's"
                throw TLSConfigurationError(file: file, message: message)
            }
            guard X509_STORE_add_cert(store, anchor.pointer) == 1 else {
                throw Self.unusable(file, "certificate number \(index + 1)")
            }
            // Tells clients which of their certificates may be accepted.
            if configuration.role == .server, SSL_CTX_add_client_CA(pointer, anchor.pointer) != 1 {
                throw Self.unusable(file, "certificate number \(index + 1)")
            }
        }
        let isRequired = configuration.role == .server && configuration.requireClientCertificate
        let mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        SSL_CTX_set_verify(pointer, mode, noteVerification)
        SSL_CTX_set_cert_verify_callback(pointer, verify, nil)
    }

    /// Loads revocation lists, if any are configured, and says that they must cover whole chains.
    ///
    /// - Returns: The lists.
    static func loadRevocationLists(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration
    ) throws(TLSConfigurationError) -> [RevocationList] {
        guard let file = configuration.revocationListsFile else {
            return []
        }
        let store = SSL_CTX_get_cert_store(pointer)
        let lists = try CertificateFile.revocationLists(file)
        for list in lists {
            guard X509_STORE_add_crl(store, list.pointer) == 1 else {
                throw Self.unusable(file, "a revocation list")
            }
        }
        let flags = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(pointer), UInt(flags))
        return lists
    }

    private static func unusable(_ file: String, _ what: String) -> TLSConfigurationError {
        TLSConfigurationError(file: file, message: "\(what) cannot be used: \(OpenSSLErrors.take().text)")
    }
}

/// Called once for each chain, in place of OpenSSL's own function: verifies it by the context's clock.
private func verify(store: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let session = TLSSession.verifying(store) else {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        return 0
    }
    let now = session.context.clock()
    if session.remembersChain(store, at: now) {
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    }
    X509_STORE_CTX_set_time(store, 0, time_t(now))
    session.verifiedAt = now
    return X509_verify_cert(store) == 1 ? 1 : 0
}

/// Called for each certificate and each error of a chain; keeps OpenSSL's judgement. The session is borrowed.
private func noteVerification(isGood: Int32, store: OpaquePointer?) -> Int32 {
    if isGood != 1 {
        TLSSession.verifying(store)?.noteVerificationFailure(store)
    }
    return isGood
}
