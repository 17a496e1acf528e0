// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import TLSEngine

/// Who is at the other end.
extension ClientLink {
    /// From now on this is the connection of a client that the peer brings.
    func state(_ proof: ClientProof) {
        if case .tls(let session) = security { security = .relayed(session, proof) }
    }

    /// Judges the peer at the other end of the connection, whomever it brings, by a snapshot.
    ///
    /// - Parameter listener: The listener at which it has connected.
    /// - Throws: Why it may not bring clients.
    func checkCarrier(by snapshot: GatewaySnapshot, at listener: Int) throws {
        if let context = snapshot.tlsContext(of: listener) { try judgeEnd(by: context) }
        if let identity = try tls?.peerCertificate() { try snapshot.checkPeer(identity) }
    }

    /// Verifies again the certificate that the other end has shown.
    func judgeEnd(by context: TLSContext) throws(TLSError) {
        if let tls { try context.judgePeer(of: tls) }
    }

    /// What was negotiated; nil without TLS.
    var negotiated: NegotiatedTLS? { tls?.negotiated }

    /// Who the client is, once it is established; nil when it has shown no certificate.
    func identity() throws(TLSError) -> PeerIdentity? {
        switch security {
        case .tls(let session): try session.peerCertificate().map { .certificate($0) }
        case .local(let peer): .local(peer)
        case .relayed(_, let proof): proof.identity
        case .gone: nil
        }
    }

    /// Whether the TLS session is one that the client had before.
    var isResumed: Bool { tls?.isResumed ?? false }

    /// Whether the client's certificate was verified, when it connected, by this context.
    func wasJudged(by context: TLSContext) -> Bool { tls?.wasMade(by: context) ?? true }

    /// Verifies the client's certificate again; there is nothing to verify without TLS.
    func judge(by context: TLSContext) throws(TLSError) {
        if case .relayed(_, let proof) = security {
            if let chain = proof.chain { try context.judge(chain) }
        } else if let tls {
            try context.judgePeer(of: tls)
        }
    }

    /// What proves who the client is when the connection is gone; nil when nothing does.
    var proof: ClientProof? {
        if case .relayed(_, let proof) = security { return proof }
        guard let identity = try? identity() else { return nil }
        return ClientProof(identity: identity, chain: tls?.peerChain())
    }

    /// The client's certificate; nil when there is none, or it cannot be had.
    var certificate: CertificateIdentity? {
        if case .certificate(let found)? = try? identity() { found } else { nil }
    }
}
