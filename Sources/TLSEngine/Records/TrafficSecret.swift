// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A secret from which the keys of one direction of a connection are made (RFC 8446, 7.1). Wiped when it goes.
struct TrafficSecret: ~Copyable {
    /// That of the longest digest.
    private static let largestByteCount = 48

    // On the heap, so that moving it leaves nothing behind.
    private let bytes: UnsafeMutableRawBufferPointer

    private init(count: Int) {
        self.bytes = .allocate(byteCount: count, alignment: 8)
    }

    /// Reads hexadecimal digits.
    ///
    /// - Returns: nil when it is something else, or no secret's length.
    static func read(hexadecimal text: UnsafeRawBufferPointer) -> TrafficSecret? {
        guard !text.isEmpty, text.count.isMultiple(of: 2), text.count <= 2 * self.largestByteCount else {
            return nil
        }
        let secret = TrafficSecret(count: text.count / 2)
        for index in secret.bytes.indices {
            guard let high = self.digit(text[2 * index]), let low = self.digit(text[2 * index + 1]) else {
                return nil
            }
            secret.bytes[index] = high << 4 | low
        }
        return secret
    }

    deinit {
        OPENSSL_cleanse(self.bytes.baseAddress, self.bytes.count)
        self.bytes.deallocate()
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// What is made of the secret for a purpose.
    ///
    /// - Returns: Whether OpenSSL could do it.
    func expand(_ label: StaticString, _ suite: RecordSuite, into result: UnsafeMutableRawBufferPointer) -> Bool {
        guard let derivation = Self.derivation.pointer else {
            return false
        }
        return label.withUTF8Buffer { label in
            label.withMemoryRebound(to: CChar.self) { label in
                copenssl_tls13_expand(
                    derivation,
                    suite.digest,
                    self.bytes.baseAddress,
                    self.bytes.count,
                    label.baseAddress,
                    result.baseAddress,
                    result.count
                ) == 1
            }
        }
    }

    /// The secret that follows it when keys are renewed.
    func next(_ suite: RecordSuite) -> TrafficSecret? {
        let next = TrafficSecret(count: self.bytes.count)
        guard self.expand("traffic upd", suite, into: next.bytes) else {
            return nil
        }
        return next
    }

    /// An `EVP_KDF *` that is never freed.
    private struct Derivation: @unchecked Sendable {
        // Unchecked: nobody changes it.
        let pointer = EVP_KDF_fetch(nil, OSSL_KDF_NAME_TLS1_3_KDF, nil)
    }

    private static let derivation = Derivation()
}
