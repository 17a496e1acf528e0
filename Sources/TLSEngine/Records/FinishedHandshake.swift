// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a connection is asked about its handshake when OpenSSL's part of it is gone.
struct FinishedHandshake {
    /// Who the peer is.
    enum Peer {
        /// Verified, for this connection or for the one that it resumes.
        case recorded(VerificationRecord)
        /// Without resumption nothing is recorded; and there need not be a certificate.
        indirect case shown(Result<CertificateIdentity?, TLSError>, PeerChain?)
    }

    let negotiated: NegotiatedTLS?
    let requestedServerName: String?
    let isResumed: Bool
    let peer: Peer

    init(_ session: TLSSession) {
        self.negotiated = session.negotiated
        self.requestedServerName = session.requestedServerName
        self.isResumed = session.isResumed
        if let record = session.verificationRecord {
            self.peer = .recorded(record)
        } else {
            let certificate = Result { () throws(TLSError) in try session.peerCertificate() }
            self.peer = .shown(certificate, session.peerChain())
        }
    }
}
