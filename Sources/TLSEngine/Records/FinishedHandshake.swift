// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a connection is asked about its handshake when OpenSSL's part of it is gone.
struct FinishedHandshake {
    /// What the peer has shown where nothing is recorded; there need not be a certificate.
    final class ShownPeer {
        let certificate: Result<CertificateIdentity?, TLSError>
        let chain: PeerChain?

        init(_ session: TLSSession) {
            self.certificate = Result { () throws(TLSError) in try session.peerCertificate() }
            self.chain = session.peerChain()
        }
    }

    let negotiated: NegotiatedTLS?
    let requestedServerName: String?
    let isResumed: Bool
    /// What was verified, for this connection or for the one that it resumes.
    let record: VerificationRecord?
    /// Who the peer is otherwise. Not an enum with the record: of two references it marks one in the pointer itself, and a
    /// search for leaks does not find what that refers to.
    let shown: ShownPeer?

    init(_ session: TLSSession) {
        self.negotiated = session.negotiated
        self.requestedServerName = session.requestedServerName
        self.isResumed = session.isResumed
        self.record = session.verificationRecord
        self.shown = self.record == nil ? ShownPeer(session) : nil
    }
}
