// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSSession {
    /// The handshake is complete, and took over from an earlier session what that had proved.
    public var isResumed: Bool {
        self.finished?.isResumed ?? (self.isHandshakeComplete && SSL_session_reused(self.ssl) == 1)
    }

    /// Client: what a later connection can begin with; nil while there is nothing yet (TLS 1.3: a server sends it behind
    /// its handshake, so it comes with the first reads), and when `TLSConfiguration.sessionLifetime` is 0.
    public var resumableSession: TLSResumptionState? {
        guard self.isHandshakeComplete, self.failure == nil, let serverName = self.serverName else {
            return nil
        }
        defer { OpenSSLErrors.clear() }
        guard let session = self.newestSession ?? self.reusableSession, SSL_SESSION_is_resumable(session) == 1,
            let record = VerificationRecord.attached(to: session), let copy = SSL_SESSION_dup(session)
        else {
            return nil
        }
        return TLSResumptionState(
            owning: copy,
            record: record,
            context: self.context,
            serverName: serverName
        )
    }

    /// A session of TLS 1.2 can be resumed again and again, so no new one comes.
    private var reusableSession: OpaquePointer? {
        self.isResumed && SSL_version(self.ssl) == TLS1_2_VERSION ? SSL_get_session(self.ssl) : nil
    }

    /// What was verified for this connection or for the one it resumes; nil without resumption.
    var verificationRecord: VerificationRecord? {
        if let finished { return finished.record }
        // Until then it may be a session that the other end will not take.
        return self.isHandshakeComplete ? VerificationRecord.attached(to: SSL_get_session(self.ssl)) : nil
    }

    /// The session a callback of OpenSSL is about. Borrowed: it is in the middle of a call.
    static func of(_ ssl: OpaquePointer?) -> TLSSession? {
        guard let ssl, let session = SSL_get_ex_data(ssl, Self.exDataIndex) else {
            return nil
        }
        return Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue()
    }
}

// MARK: Server

extension TLSSession {
    /// - Returns: A session that OpenSSL will own, or nil for a full handshake.
    func sessionToResume(_ id: SessionID) -> OpaquePointer? {
        guard let sessions = self.context.sessions else {
            return nil
        }
        // After a HelloRetryRequest the client names it for the second time, and it is the same connection.
        let isClaimed = self.claimedSession?.id == id
        guard let session = isClaimed ? self.claimedSession : sessions.claim(id) else {
            return nil
        }
        guard self.context.mayResume(session.record) else {
            self.claimedSession = nil
            sessions.remove(id)
            return nil
        }
        self.claimedSession = session.isSingleUse ? session : nil
        return session.makeSession()
    }

    /// The handshake is complete: its session can be resumed from now on.
    func keepSession() {
        self.claimedSession = nil
        self.rememberedRecord = nil
        guard let session = self.finishedSession else {
            return
        }
        self.finishedSession = nil
        if let chainKey, self.verifiedAt != nil { self.context.verifiedChains?.remember(chainKey, session.record) }
        self.chainKey = nil
        // Without the extension a man in the middle can make two connections with the same secrets (RFC 7627).
        if SSL_version(self.ssl) != TLS1_2_VERSION || copenssl_SSL_get_extms_support(self.ssl) == 1 {
            self.context.sessions?.insert(session, epoch: self.sessionEpoch, at: self.context.clock())
            self.keptSession = session.id
        }
    }

    /// A session that the peer can name from now on. Only one whose peer has shown a certificate is kept.
    func noteResumable(_ session: OpaquePointer) {
        defer { OpenSSLErrors.clear() }
        guard let record = self.record(for: session) else {
            return
        }
        switch self.context.role {
        case .client:
            SSL_SESSION_up_ref(session)
            SSL_SESSION_free(self.newestSession)
            self.newestSession = session
        case .server:
            self.finishedSession = StoredSession(keeping: session, record: record)
        }
    }

    /// Whether what the peer shows was verified before, and that still holds.
    ///
    /// - Parameter store: A verification that has not begun.
    func remembersChain(_ store: OpaquePointer?, at now: Int64) -> Bool {
        guard let chains = self.context.verifiedChains, let key = VerifiedChains.key(of: store) else {
            return false
        }
        self.chainKey = key
        self.rememberedRecord = chains.record(key, at: now)
        return self.rememberedRecord != nil
    }

    /// The record that the session has inherited, one that is remembered, or a new one for what was verified just now.
    private func record(for session: OpaquePointer) -> VerificationRecord? {
        if let inherited = VerificationRecord.attached(to: session) {
            return inherited
        }
        if let remembered = self.rememberedRecord {
            return remembered.attach(to: session) ? remembered : nil
        }
        guard let verifiedAt = self.verifiedAt,
            let ssl = self.ssl,
            let record = try? VerificationRecord(ssl, context: self.context, verifiedAt: verifiedAt)
        else {
            return nil
        }
        return record.attach(to: session) ? record : nil
    }
}
