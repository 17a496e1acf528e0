// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The first thing that was wrong with a peer's chain, noted while OpenSSL verifies it.
struct VerificationFailure {
    let code: Int32
    let subject: String
    let issuer: String
    let notBefore: Int64?
    let notAfter: Int64?

    /// - Parameter store: A verification that has just found an error.
    init(_ store: OpaquePointer?) {
        self.code = X509_STORE_CTX_get_error(store)
        guard let certificate = X509_STORE_CTX_get_current_cert(store) else {
            (self.subject, self.issuer, self.notBefore, self.notAfter) = ("", "", nil, nil)
            return
        }
        self.subject = Self.shortened(X509Certificate.text(of: X509_get_subject_name(certificate)))
        self.issuer = Self.shortened(X509Certificate.text(of: X509_get_issuer_name(certificate)))
        self.notBefore = X509Certificate.unixSeconds(X509_get0_notBefore(certificate))
        self.notAfter = X509Certificate.unixSeconds(X509_get0_notAfter(certificate))
    }

    /// The failure for people and logs.
    ///
    /// - Parameter expectedName: The name a client wanted to reach.
    func error(expectedName: String?) -> TLSError {
        let who = "\(self.subject), issued by \(self.issuer)"
        switch self.code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            let time = self.notAfter.map(UTCTime.format) ?? "an unknown date"
            return TLSError(code: .certificateExpired, message: "certificate expired on \(time) (\(who))")
        case X509_V_ERR_CERT_NOT_YET_VALID:
            let time = self.notBefore.map(UTCTime.format) ?? "an unknown date"
            return TLSError(code: .certificateNotYetValid, message: "certificate not valid before \(time) (\(who))")
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return TLSError(code: .issuerUnknown, message: "issuer unknown: \(self.subject) is self-signed")
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED:
            return TLSError(code: .issuerUnknown, message: "issuer unknown: \(self.issuer) issued \(self.subject)")
        case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_CERT_REJECTED:
            let message = "the certificate is not for this use: \(self.reason) (\(who))"
            return TLSError(code: .wrongPurpose, message: message)
        case X509_V_ERR_CERT_REVOKED:
            return TLSError(code: .certificateRevoked, message: "certificate revoked (\(who))")
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_NOT_YET_VALID,
            X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_CRL_SIGNATURE_FAILURE:
            let message = "whether the certificate is revoked is unknown: \(self.reason) (\(who))"
            return TLSError(code: .revocationUnknown, message: message)
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            let message = "the server's certificate is not for \(expectedName ?? "the name asked for") (\(who))"
            return TLSError(code: .hostnameMismatch, message: message)
        default:
            return TLSError(code: .badCertificate, message: "the certificate is refused: \(self.reason) (\(who))")
        }
    }

    /// A stranger's certificate does not decide how long a line of the log becomes.
    private static func shortened(_ name: String) -> String {
        let limit = 256
        return name.count <= limit ? name : name.prefix(limit) + "…"
    }

    private var reason: String {
        X509_verify_cert_error_string(Int(self.code)).map { String(cString: $0) } ?? "error \(self.code)"
    }
}
