// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Owns one reference of an `X509 *`.
///
/// Not shared between threads: OpenSSL caches parsed extensions inside the object.
final class X509Certificate {
    let pointer: OpaquePointer

    /// - Parameter pointer: A reference that belongs to the new object.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// - Parameter pointer: Borrowed; the new object takes a reference of its own.
    init(retaining pointer: OpaquePointer) {
        X509_up_ref(pointer)
        self.pointer = pointer
    }

    deinit {
        X509_free(self.pointer)
    }

    /// A subject or issuer in readable RFC 2253 form; what a terminal could misunderstand is escaped.
    static func text(of name: OpaquePointer?) -> String {
        guard let name, let text = copenssl_X509_NAME_print(name) else {
            OpenSSLErrors.clear()
            return "(unreadable name)"
        }
        defer { BIO_free(text) }
        var start: UnsafePointer<CChar>?
        let count = copenssl_BIO_get_mem_data(text, &start)
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        return CertificateText.escapingControls(String(decoding: bytes, as: UTF8.self))
    }

    static func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var seconds: Int64 = 0
        guard let time, copenssl_ASN1_TIME_to_unix(time, &seconds) == 1 else {
            OpenSSLErrors.clear()
            return nil
        }
        return seconds
    }

    /// The SHA-256 of the certificate's DER form.
    var fingerprint: [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 32)
        return X509_digest(self.pointer, EVP_sha256(), &digest, nil) == 1 ? digest : nil
    }

    /// The SHA-256 of the public key's DER form (SubjectPublicKeyInfo).
    var publicKeyFingerprint: [UInt8]? {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(self.pointer), &encoded)
        defer { copenssl_free(encoded) }
        var digest = [UInt8](repeating: 0, count: 32)
        guard count > 0, EVP_Digest(encoded, Int(count), &digest, nil, EVP_sha256(), nil) == 1 else {
            return nil
        }
        return digest
    }

    /// Two hexadecimal digits a byte, as `openssl x509 -serial` shows it, but in lower case.
    var serialNumber: String {
        guard let serial = X509_get0_serialNumber(self.pointer) else {
            return ""
        }
        let sign = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : ""
        return sign + Hexadecimal.encode(X509Certificate.bytes(of: serial))
    }

    static func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string, let start = ASN1_STRING_get0_data(string) else {
            return []
        }
        return Array(UnsafeBufferPointer(start: start, count: Int(max(0, ASN1_STRING_length(string)))))
    }
}
