// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSContext {
    /// RFC 8446, 4.6.1: no ticket lives longer than a week.
    static let longestSessionLifetime = 7 * 24 * 3600

    /// How many sessions clients may resume now; 0 for a client, and when resumption is off.
    public var sessionCount: Int { self.sessions?.count(at: self.clock()) ?? 0 }

    /// Forgets the sessions whose evidence fits: their next connection is a full handshake, and their chain is verified again.
    /// Connections that are open go on, and what is in the middle of its handshake will not be resumable.
    ///
    /// - Parameter isForgotten: Called on the caller's thread, not under a lock.
    /// - Returns: How many were forgotten.
    @discardableResult
    public func forgetSessions(where isForgotten: (ResumptionEvidence) -> Bool) -> Int {
        self.verifiedChains?.forget { isForgotten($0.evidence) }
        return self.sessions?.remove { isForgotten($0.evidence) } ?? 0
    }

    /// Forgets all sessions; see `forgetSessions(where:)`.
    public func forgetAllSessions() {
        self.forgetSessions { _ in true }
    }

    /// Whether a session may be resumed now, by its time and by the owner's judgement.
    func mayResume(_ record: VerificationRecord) -> Bool {
        record.isUsable(at: self.clock()) && self.ownerAllowsResumption?(record.evidence) ?? true
    }

    /// When the first of the revocation lists ends that were in force for a certificate.
    func nextUpdate(ofIssuerOf certificate: X509Certificate, at now: Int64) -> Int64? {
        let issuer = X509_get_issuer_name(certificate.pointer)
        return self.revocationLists.lazy
            .filter { X509_NAME_cmp(X509_CRL_get_issuer($0.pointer), issuer) == 0 }
            .compactMap(\.nextUpdate)
            .filter { $0 > now }
            .min()
    }

    // MARK: Settings

    static func makeSessionCache(_ configuration: TLSConfiguration) throws(TLSConfigurationError) -> SessionCache? {
        guard (0...self.longestSessionLifetime).contains(configuration.sessionLifetime) else {
            let message = "the lifetime of sessions must be 0 (none is resumed) to 604800 seconds, which are a week"
            throw TLSConfigurationError(message: message)
        }
        guard configuration.sessionLifetime > 0, configuration.role == .server else {
            return nil
        }
        guard configuration.sessionCacheCount > 0 else {
            throw TLSConfigurationError(message: "sessions are to be resumed, but there is room for none")
        }
        return SessionCache(
            maximumCount: configuration.sessionCacheCount,
            maximumByteCount: configuration.sessionCacheByteCount
        )
    }

    static func setResumption(_ pointer: OpaquePointer, _ configuration: TLSConfiguration) {
        guard configuration.sessionLifetime > 0 else {
            return
        }
        copenssl_SSL_CTX_use_external_cache(pointer, configuration.role == .server ? 1 : 0)
        SSL_CTX_set_timeout(pointer, configuration.sessionLifetime)
        SSL_CTX_sess_set_new_cb(pointer, noteNewSession)
        if configuration.role == .server {
            SSL_CTX_set_num_tickets(pointer, 1)
            SSL_CTX_sess_set_get_cb(pointer, findSession)
            SSL_CTX_sess_set_remove_cb(pointer, removeSession)
        }
    }
}

// MARK: Callbacks

/// Called when a session can be resumed from now on. The connection borrows it, and copies what it keeps.
private func noteNewSession(ssl: OpaquePointer?, session: OpaquePointer?) -> Int32 {
    if let session {
        TLSSession.of(ssl)?.noteResumable(session)
    }
    return 0
}

/// Called for each session that a client names. What is returned belongs to OpenSSL.
private func findSession(
    ssl: OpaquePointer?,
    id: UnsafePointer<UInt8>?,
    count: Int32,
    isShared: UnsafeMutablePointer<Int32>?
) -> OpaquePointer? {
    isShared?.pointee = 0
    let bytes = UnsafeBufferPointer(start: id, count: max(0, Int(count)))
    return SessionID(bytes).flatMap { TLSSession.of(ssl)?.sessionToResume($0) }
}

/// Called when a connection has failed: its session is not resumed.
private func removeSession(context: OpaquePointer?, session: OpaquePointer?) {
    if let context, let id = session.flatMap({ SessionID($0) }) {
        TLSContext.sessionCache(of: context)?.remove(id)
    }
}
