// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A cipher suite of TLS 1.3 whose records are read and written here.
struct RecordSuite: Sendable {
    /// Its name in RFC 8446, which is OpenSSL's too.
    let name: String
    /// The names by which OpenSSL knows its parts.
    let cipher: String
    let digest: String
    let keyByteCount: Int

    /// The suites with a nonce of twelve bytes and a tag of sixteen. Those with CCM stay OpenSSL's: hardly anybody uses
    /// them, and one of them has shorter tags.
    static let all = [
        RecordSuite(name: "TLS_AES_128_GCM_SHA256", cipher: "AES-128-GCM", digest: "SHA256", keyByteCount: 16),
        RecordSuite(name: "TLS_AES_256_GCM_SHA384", cipher: "AES-256-GCM", digest: "SHA384", keyByteCount: 32),
        RecordSuite(
            name: "TLS_CHACHA20_POLY1305_SHA256",
            cipher: "ChaCha20-Poly1305",
            digest: "SHA256",
            keyByteCount: 32
        ),
    ]

    /// The suites by name, each with its `EVP_CIPHER *`, which is never freed. Fetched once: it takes as long as a record.
    private static let ciphers: [String: (suite: RecordSuite, cipher: FetchedCipher)] = {
        var ciphers: [String: (suite: RecordSuite, cipher: FetchedCipher)] = [:]
        for suite in all {
            if let cipher = EVP_CIPHER_fetch(nil, suite.cipher, nil) {
                ciphers[suite.name] = (suite, FetchedCipher(pointer: cipher))
            }
        }
        OpenSSLErrors.clear()
        return ciphers
    }()

    /// An `EVP_CIPHER *`.
    private struct FetchedCipher: @unchecked Sendable {
        // Unchecked: nobody changes it.
        let pointer: OpaquePointer
    }

    /// - Returns: The suite and its `EVP_CIPHER *`; nil when its records are OpenSSL's.
    static func find(_ name: String) -> (suite: RecordSuite, cipher: OpaquePointer)? {
        self.ciphers[name].map { ($0.suite, $0.cipher.pointer) }
    }
}
