// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The certificates that a peer has shown, kept to judge it when its connection is gone: see ``TLSContext/judge(_:)``.
public struct PeerChain: Sendable {
    /// DER, the peer's own first.
    let certificates: [[UInt8]]
}

extension TLSSession {
    /// The certificates that the peer has shown, in this session or in the one that it resumes; nil when there are none.
    public func peerChain() -> PeerChain? {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard let pointer = SSL_get1_peer_certificate(self.ssl) else {
            return nil
        }
        let leaf = X509Certificate(owning: pointer)
        let chain = SSL_get_peer_cert_chain(self.ssl)
        // A client sees the peer's own certificate there, too.
        let first: Int32 = self.context.role == .client ? 1 : 0
        var certificates = [leaf.encoded]
        for index in first..<max(first, copenssl_sk_X509_num(chain)) {
            guard let other = copenssl_sk_X509_value(chain, index) else { continue }
            certificates.append(X509Certificate(retaining: other).encoded)
        }
        return PeerChain(certificates: certificates)
    }

    /// Whether the session's handshake was judged by a context.
    public func wasMade(by context: TLSContext) -> Bool {
        self.context === context
    }
}

extension X509Certificate {
    /// Its DER form.
    fileprivate var encoded: [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(self.pointer, &start)
        defer { copenssl_free(start) }
        return Array(UnsafeBufferPointer(start: start, count: Int(max(0, count))))
    }
}
