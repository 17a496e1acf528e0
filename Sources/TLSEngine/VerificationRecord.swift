// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What was verified when a session began, and how long that may be relied on.
///
/// It belongs to the `SSL_SESSION`: OpenSSL copies and frees it together with that, so whatever descends from one full
/// handshake carries the record of that handshake.
final class VerificationRecord: Sendable {
    let evidence: ResumptionEvidence
    /// From when on the session may be resumed: when it was verified, and every certificate of the chain is valid.
    let usableFrom: Int64
    /// Before when: the end of the lifetime, of a certificate, or of a revocation list that was in force.
    let usableBefore: Int64
    /// The certificates that the peer has sent, to judge it by others' authorities later.
    let chain: PeerChain

    /// - Parameters:
    ///   - ssl: A connection whose peer's chain has just been verified.
    ///   - verifiedAt: When that was.
    /// - Throws: `.noClientCertificate` when there is no verified chain, `.badCertificate` for a name that cannot be
    ///   trusted.
    init(_ ssl: OpaquePointer, context: TLSContext, verifiedAt: Int64) throws(TLSError) {
        let chain = SSL_get0_verified_chain(ssl)
        guard let chain, let leaf = copenssl_sk_X509_value(chain, 0) else {
            throw TLSError(code: .noClientCertificate, message: "the peer sent no certificate")
        }
        var evidence = ResumptionEvidence(
            chainFingerprints: [],
            chainSerials: [],
            verifiedAt: verifiedAt,
            leaf: try CertificateIdentity(X509Certificate(retaining: leaf))
        )
        var usableFrom = verifiedAt
        var usableBefore = verifiedAt + context.sessionLifetime
        for index in 0..<copenssl_sk_X509_num(chain) {
            guard let pointer = copenssl_sk_X509_value(chain, index) else { continue }
            let certificate = X509Certificate(retaining: pointer)
            guard let fingerprint = certificate.fingerprint,
                let notBefore = X509Certificate.unixSeconds(X509_get0_notBefore(pointer)),
                let notAfter = X509Certificate.unixSeconds(X509_get0_notAfter(pointer))
            else {
                throw TLSError(code: .badCertificate, message: "a certificate's period cannot be read")
            }
            evidence.chainFingerprints.append(Hexadecimal.encode(fingerprint))
            evidence.chainSerials.append(certificate.serialNumber)
            usableFrom = max(usableFrom, notBefore)
            usableBefore = min(usableBefore, notAfter)
            if let nextUpdate = context.nextUpdate(ofIssuerOf: certificate, at: verifiedAt) {
                usableBefore = min(usableBefore, nextUpdate)
            }
        }
        self.evidence = evidence
        self.usableFrom = usableFrom
        self.usableBefore = usableBefore
        self.chain = PeerChain(
            leaf: X509Certificate(retaining: leaf),
            others: SSL_get_peer_cert_chain(ssl),
            role: context.role
        )
    }

    func isUsable(at now: Int64) -> Bool {
        now >= self.usableFrom && now < self.usableBefore
    }
}

// MARK: With an SSL_SESSION

extension VerificationRecord {
    private static let exDataIndex = CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_SSL_SESSION,
        0,
        nil,
        nil,
        retainRecord,
        releaseRecord
    )

    /// The record of a session, if it has one.
    static func attached(to session: OpaquePointer?) -> VerificationRecord? {
        guard let session, let record = SSL_SESSION_get_ex_data(session, Self.exDataIndex) else {
            return nil
        }
        return Unmanaged<VerificationRecord>.fromOpaque(record).takeUnretainedValue()
    }

    /// - Parameter session: One that has no record yet.
    /// - Returns: Whether there was memory for it.
    func attach(to session: OpaquePointer) -> Bool {
        let reference = Unmanaged.passRetained(self)
        guard SSL_SESSION_set_ex_data(session, Self.exDataIndex, reference.toOpaque()) == 1 else {
            reference.release()
            return false
        }
        return true
    }
}

/// The copy of a session has a reference of its own.
private func retainRecord(
    target: UnsafeMutablePointer<CRYPTO_EX_DATA>?,
    source: UnsafePointer<CRYPTO_EX_DATA>?,
    record: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    index: Int32,
    number: Int,
    argument: UnsafeMutableRawPointer?
) -> Int32 {
    if let record = record?.pointee {
        _ = Unmanaged<VerificationRecord>.fromOpaque(record).retain()
    }
    return 1
}

private func releaseRecord(
    session: UnsafeMutableRawPointer?,
    record: UnsafeMutableRawPointer?,
    data: UnsafeMutablePointer<CRYPTO_EX_DATA>?,
    index: Int32,
    number: Int,
    argument: UnsafeMutableRawPointer?
) {
    if let record {
        Unmanaged<VerificationRecord>.fromOpaque(record).release()
    }
}
