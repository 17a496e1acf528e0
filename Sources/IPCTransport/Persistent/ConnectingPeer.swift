// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import TLSEngine

/// Who has connected to a listener, for its admission to judge.
public struct ConnectingPeer: Sendable {
    /// Whose its certificate is. Nil without TLS, and for one that has shown none.
    public var peerCertificate: CertificateIdentity?
    /// What the TLS handshake has agreed upon; nil without TLS.
    public var negotiatedTLS: NegotiatedTLS?
    /// Its address; nil when the system does not tell.
    public var remoteAddress: SocketAddress?

    init(_ link: SessionLink) {
        peerCertificate = link.security?.certificate
        negotiatedTLS = link.security?.negotiated
        remoteAddress = link.remoteAddress
    }

    init(_ connection: PlainConnection) {
        peerCertificate = connection.peerCertificate
        negotiatedTLS = connection.negotiatedTLS
        remoteAddress = connection.remoteAddress
    }
}
