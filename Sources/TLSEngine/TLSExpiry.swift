// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Something of a context that ends at a time, and what goes wrong then.
public struct TLSExpiry: Sendable, Hashable {
    /// What it is.
    public enum Kind: String, Sendable, Hashable {
        /// The own certificate, or one of its intermediates: peers refuse it.
        case certificate
        /// An authority that is believed: the certificates that it has issued are refused.
        case authority
        /// A revocation list, at its next update: every certificate of its issuer is refused.
        case revocationList = "revocation-list"
    }

    /// What it is.
    public var kind: Kind
    /// The subject; of a revocation list the issuer. Readable, and nothing in it misleads a terminal.
    public var name: String
    /// The last second that it is good for, in Unix seconds.
    public var time: Int64

    /// Describes something that ends.
    public init(kind: Kind, name: String, time: Int64) {
        self.kind = kind
        self.name = name
        self.time = time
    }

    init?(_ kind: Kind, _ certificate: X509Certificate) {
        guard let time = X509Certificate.unixSeconds(X509_get0_notAfter(certificate.pointer)) else { return nil }
        self.init(kind: kind, name: X509Certificate.text(of: X509_get_subject_name(certificate.pointer)), time: time)
    }

    init?(_ list: RevocationList) {
        guard let time = list.nextUpdate else { return nil }
        self.init(kind: .revocationList, name: X509Certificate.text(of: X509_CRL_get_issuer(list.pointer)), time: time)
    }
}
