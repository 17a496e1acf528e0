// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What is known of a peer that asks to resume a session: what it proved when the session began.
///
/// A resumed handshake shows no certificate and proves nothing anew, so this is what it is judged by.
public struct ResumptionEvidence: Sendable, Hashable {
    /// The SHA-256 of every certificate of the verified chain, the peer's own first and the trust anchor last, in
    /// lower-case hexadecimal.
    public var chainFingerprints: [String]
    /// The serial numbers of the same certificates, written as in `CertificateIdentity.serialNumber`.
    public var chainSerials: [String]
    /// When the chain was verified, in Unix seconds of `TLSConfiguration.clock`. Resumption does not renew it.
    public var verifiedAt: Int64
    /// Whose the peer's own certificate is.
    public var leaf: CertificateIdentity

    /// Evidence put together by hand, as tests need it.
    public init(
        chainFingerprints: [String],
        chainSerials: [String],
        verifiedAt: Int64,
        leaf: CertificateIdentity
    ) {
        self.chainFingerprints = chainFingerprints
        self.chainSerials = chainSerials
        self.verifiedAt = verifiedAt
        self.leaf = leaf
    }
}
