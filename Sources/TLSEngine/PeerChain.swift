// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The certificates that a peer has shown, kept to judge it when its connection is gone: see ``TLSContext/judge(_:)``.
public struct PeerChain: Sendable {
    /// DER, the peer's own first.
    public let certificates: [[UInt8]]

    /// Certificates that somebody else has kept.
    public init(certificates: [[UInt8]]) {
        self.certificates = certificates
    }

    /// Whose the first certificate is; nothing of it is judged.
    ///
    /// - Throws: `.badCertificate` when it cannot be read, or a name in it cannot be trusted.
    public func identity() throws(TLSError) -> CertificateIdentity {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard let first = certificates.first else {
            throw TLSError(code: .noClientCertificate, message: "the peer sent no certificate")
        }
        return try CertificateIdentity(try X509Certificate(encoded: first))
    }
}

extension PeerChain {
    /// - Parameters:
    ///   - others: What else the peer has sent, a `STACK_OF(X509) *`.
    ///   - role: Which end this is: a client sees the peer's own certificate among the others, too.
    init(leaf: X509Certificate, others: OpaquePointer?, role: TLSConfiguration.Role) {
        let first: Int32 = role == .client ? 1 : 0
        var certificates = [leaf.encoded]
        for index in first..<max(first, copenssl_sk_X509_num(others)) {
            guard let other = copenssl_sk_X509_value(others, index) else { continue }
            certificates.append(X509Certificate(retaining: other).encoded)
        }
        self.init(certificates: certificates)
    }

    /// How many bytes the certificates have.
    var byteCount: Int { self.certificates.reduce(0) { $0 + $1.count } }
}

extension TLSSession {
    /// The certificates that the peer has shown, in this session or in the one that it resumes; nil when there are none.
    public func peerChain() -> PeerChain? {
        if let record = self.verificationRecord { return record.chain }
        if let shown = self.finished?.shown { return shown.chain }
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard let pointer = SSL_get1_peer_certificate(self.ssl) else {
            return nil
        }
        let chain = SSL_get_peer_cert_chain(self.ssl)
        return PeerChain(leaf: X509Certificate(owning: pointer), others: chain, role: self.context.role)
    }

    /// Whether the session's handshake was judged by a context.
    public func wasMade(by context: TLSContext) -> Bool {
        self.context === context
    }
}

extension X509Certificate {
    /// Reads DER, and nothing behind it.
    convenience init(encoded: [UInt8]) throws(TLSError) {
        var consumed = 0
        let pointer = encoded.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            let certificate = d2i_X509(nil, &start, bytes.count)
            if let start, let base = bytes.baseAddress { consumed = start - base }
            return certificate
        }
        guard let pointer else {
            throw TLSError(code: .badCertificate, message: "a certificate of the chain cannot be read")
        }
        self.init(owning: pointer)
        guard consumed == encoded.count else {
            throw TLSError(code: .badCertificate, message: "something follows a certificate of the chain")
        }
    }

    /// Its DER form.
    fileprivate var encoded: [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(self.pointer, &start)
        defer { copenssl_free(start) }
        return Array(UnsafeBufferPointer(start: start, count: Int(max(0, count))))
    }
}
