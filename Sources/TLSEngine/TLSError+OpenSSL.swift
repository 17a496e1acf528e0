// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSError {
    /// What a failed call of OpenSSL means.
    ///
    /// - Parameters:
    ///   - errors: What the call left in the queue.
    ///   - role: Which end failed.
    ///   - firstBytes: The peer's first bytes, while the handshake has not come to an end.
    ///   - ownMinimum: The oldest version this end speaks.
    init(_ errors: OpenSSLErrors, role: TLSConfiguration.Role, firstBytes: [UInt8]?, ownMinimum: TLSVersion) {
        if let firstBytes, let other = Self.notTLS(firstBytes) {
            self = other
        } else if let alert = errors.tlsReasons.first(where: { $0 > SSL_AD_REASON_OFFSET }) {
            self = .peerAlert(alert - SSL_AD_REASON_OFFSET, role: role)
        } else if let known = errors.tlsReasons.lazy.compactMap({ Self.known($0, role: role, ownMinimum: ownMinimum) })
            .first
        {
            self = known
        } else if [ERR_LIB_ASN1, ERR_LIB_X509, ERR_LIB_X509V3].contains(where: { errors.contains(library: $0) }) {
            self.init(code: .badCertificate, message: "the peer's certificate cannot be read: \(errors.text)")
        } else if let reason = errors.entries.first(where: { $0.library == ERR_LIB_SSL }) {
            let isOurs = reason.reason == ERR_R_INTERNAL_ERROR || reason.reason == ERR_R_MALLOC_FAILURE
            self.init(code: isOurs ? .other : .protocolViolation, message: "TLS failed: \(reason.text)")
        } else {
            self.init(code: .other, message: "TLS failed: \(errors.text)")
        }
    }

    /// Every TLS connection begins with a record of type handshake or alert and a major version of 3.
    private static func notTLS(_ firstBytes: [UInt8]) -> TLSError? {
        let httpBeginnings = ["GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI ", "HTTP"]
        if httpBeginnings.contains(where: { firstBytes.starts(with: $0.utf8) }) {
            return TLSError(code: .notTLS, message: "the peer speaks plain HTTP, not TLS")
        }
        // Versions 1 and 2.
        if firstBytes.starts(with: "PROXY ".utf8) || firstBytes.starts(with: [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A]) {
            return TLSError(code: .notTLS, message: "the peer speaks the PROXY protocol, which is not expected of it")
        }
        if firstBytes.starts(with: "SSH-".utf8) {
            return TLSError(code: .notTLS, message: "the peer speaks SSH, not TLS")
        }
        guard firstBytes.count >= 2 else {
            return nil
        }
        let isRecord = (firstBytes[0] == SSL3_RT_HANDSHAKE || firstBytes[0] == SSL3_RT_ALERT) && firstBytes[1] == 3
        // The first message of a client in the form of SSL 2: OpenSSL reads it, to refuse it with an alert.
        let isOldHello = firstBytes[0] & 0x80 != 0 && firstBytes.count >= 4 && firstBytes[2] == 1 && firstBytes[3] == 3
        if isRecord || isOldHello {
            return nil
        }
        let isPlain = firstBytes.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x0d }
        let what = isPlain ? "plain text" : "something else"
        return TLSError(code: .notTLS, message: "the peer speaks \(what), not TLS")
    }

    private static func known(_ reason: Int32, role: TLSConfiguration.Role, ownMinimum: TLSVersion) -> TLSError? {
        let peer = role == .server ? "client" : "server"
        switch reason {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return TLSError(code: .noClientCertificate, message: "the client sent no certificate")
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_CIPHERS_SPECIFIED, SSL_R_WRONG_CIPHER_RETURNED,
            SSL_R_UNKNOWN_CIPHER_RETURNED:
            return TLSError(code: .noSharedCipher, message: "no shared cipher")
        case SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_GROUPS, SSL_R_BAD_KEY_SHARE,
            SSL_R_WRONG_CURVE:
            return TLSError(code: .noSharedGroup, message: "no shared key exchange group")
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION,
            SSL_R_UNKNOWN_PROTOCOL, SSL_R_WRONG_VERSION_NUMBER, SSL_R_INAPPROPRIATE_FALLBACK:
            let message = "the \(peer) does not speak TLS \(ownMinimum.rawValue) or later"
            return TLSError(code: .protocolVersion, message: message)
        case SSL_R_NO_APPLICATION_PROTOCOL:
            let message = "the client offers no application protocol (ALPN) that is served here"
            return TLSError(code: .noApplicationProtocol, message: message)
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            return TLSError(code: .notTLS, message: "the peer speaks plain HTTP, not TLS")
        case SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK, SSL_R_DH_KEY_TOO_SMALL:
            return TLSError(code: .badCertificate, message: "the \(peer)'s certificate is too weak")
        case SSL_R_BAD_SIGNATURE, SSL_R_BAD_ECPOINT, SSL_R_WRONG_CERTIFICATE_TYPE:
            let message = "the \(peer) does not prove that the certificate is its own"
            return TLSError(code: .badCertificate, message: message)
        case SSL_R_EXCESSIVE_MESSAGE_SIZE:
            return TLSError(code: .protocolViolation, message: "the \(peer) sent a handshake message beyond the bound")
        default:
            return nil
        }
    }
}

// MARK: Alerts

extension TLSError {
    /// Alerts with which a server says that it does not accept the client's certificate. In TLS 1.3 the client's
    /// handshake is complete by then, and its first read fails.
    private static let certificateAlerts: Set<Int32> = [
        SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
        SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED, SSL_AD_CERTIFICATE_REQUIRED,
    ]

    /// What an alert of the peer means.
    static func peerAlert(_ alert: Int32, role: TLSConfiguration.Role) -> TLSError {
        let name = Self.alertName(alert)
        switch alert {
        case SSL_AD_CERTIFICATE_REQUIRED:
            return TLSError(code: .peerAlert, message: "peer sent alert: \(name) (it wants a client certificate)")
        case _ where Self.certificateAlerts.contains(alert):
            return TLSError(code: .peerAlert, message: "peer refused our certificate: \(name)")
        case SSL_AD_HANDSHAKE_FAILURE:
            let cause = "nothing in common: cipher, group, or a missing certificate"
            return TLSError(code: .peerAlert, message: "peer sent alert: \(name) (\(cause))")
        default:
            return TLSError(code: .peerAlert, message: "peer sent alert: \(name)")
        }
    }

    /// OpenSSL's text, or the number of an alert it does not know.
    private static func alertName(_ alert: Int32) -> String {
        guard let text = SSL_alert_desc_string_long(alert).map({ String(cString: $0) }), text != "unknown" else {
            let missing: [Int32: String] = [
                SSL_AD_CERTIFICATE_REQUIRED: "certificate required",
                SSL_AD_NO_APPLICATION_PROTOCOL: "no application protocol",
                SSL_AD_MISSING_EXTENSION: "missing extension",
                SSL_AD_INAPPROPRIATE_FALLBACK: "inappropriate fallback",
            ]
            return missing[alert] ?? "number \(alert)"
        }
        return text
    }
}
