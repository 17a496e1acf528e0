// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The keys of one direction: encrypts one record after the other, or decrypts them (RFC 8446, 5.2 to 5.4 and 7.2).
///
/// A record's number is part of its nonce, so records that are missing, doubled or in another order do not decrypt.
struct RecordKeys: ~Copyable {
    static let tagByteCount = Int(copenssl_record_tag_bytes)
    private static let vectorByteCount = 12

    /// An `EVP_CIPHER_CTX *`.
    private let context: OpaquePointer
    private let suite: RecordSuite
    private let cipher: OpaquePointer
    private let isForWriting: Bool
    private var secret: TrafficSecret
    /// Twelve bytes: the first four, and the eight that the number is put into.
    private var initializationVector: (head: UInt32, tail: UInt64) = (0, 0)
    /// How many records the keys were used for.
    private(set) var recordCount: UInt64

    private init(
        _ context: OpaquePointer,
        _ suite: RecordSuite,
        _ cipher: OpaquePointer,
        _ secret: consuming TrafficSecret,
        _ isForWriting: Bool,
        _ recordCount: UInt64
    ) {
        self.context = context
        self.suite = suite
        self.cipher = cipher
        self.isForWriting = isForWriting
        self.secret = secret
        self.recordCount = recordCount
    }

    /// - Parameters:
    ///   - cipher: The `EVP_CIPHER *` of the suite.
    ///   - recordCount: How many records somebody else has made with the keys already.
    /// - Returns: nil when OpenSSL cannot do it.
    static func make(
        _ suite: RecordSuite,
        _ cipher: OpaquePointer,
        _ secret: consuming TrafficSecret,
        isForWriting: Bool,
        recordCount: UInt64 = 0
    ) -> RecordKeys? {
        guard let context = EVP_CIPHER_CTX_new() else {
            return nil
        }
        var keys = RecordKeys(context, suite, cipher, secret, isForWriting, recordCount)
        guard keys.setKey() else {
            return nil
        }
        return keys
    }

    deinit {
        // Wipes the key.
        EVP_CIPHER_CTX_free(self.context)
    }

    /// Takes key and initialization vector from the secret.
    private mutating func setKey() -> Bool {
        let byteCount = self.suite.keyByteCount
        return withUnsafeTemporaryAllocation(byteCount: byteCount + Self.vectorByteCount, alignment: 8) { bytes in
            defer { OPENSSL_cleanse(bytes.baseAddress, bytes.count) }
            let key = UnsafeMutableRawBufferPointer(rebasing: bytes[..<byteCount])
            let vector = UnsafeMutableRawBufferPointer(rebasing: bytes[byteCount...])
            guard self.secret.expand("key", self.suite, into: key), self.secret.expand("iv", self.suite, into: vector)
            else {
                return false
            }
            self.initializationVector = (
                vector.loadUnaligned(as: UInt32.self), vector.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
            )
            let start = key.assumingMemoryBound(to: UInt8.self).baseAddress
            return EVP_CipherInit_ex2(self.context, self.cipher, start, nil, self.isForWriting ? 1 : 0, nil) == 1
        }
    }

    /// Goes on with the next secret's keys, as KeyUpdate wants it.
    ///
    /// - Returns: Whether OpenSSL could do it.
    mutating func renew() -> Bool {
        guard let next = self.secret.next(self.suite) else {
            return false
        }
        self.secret = next
        self.recordCount = 0
        return self.setKey()
    }

    /// The initialization vector, with the number of the next record in it.
    private var nonce: copenssl_nonce {
        copenssl_nonce(
            head: self.initializationVector.head,
            tail: self.initializationVector.tail ^ self.recordCount.bigEndian
        )
    }

    /// Encrypts a record.
    ///
    /// - Parameters:
    ///   - type: What the plaintext is, as the first byte of a record would say it without encryption.
    ///   - record: Room for exactly that: header, plaintext, type, tag.
    /// - Returns: Whether OpenSSL could do it.
    mutating func seal(
        _ plaintext: UnsafeRawBufferPointer,
        type: UInt8,
        into record: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let bodyByteCount = plaintext.count + 1 + Self.tagByteCount
        precondition(record.count == RecordHeader.byteCount + bodyByteCount, "a record needs its room")
        let bytes = record.assumingMemoryBound(to: UInt8.self)
        RecordHeader(type: UInt8(SSL3_RT_APPLICATION_DATA), bodyByteCount: bodyByteCount).write(to: bytes)
        guard let start = bytes.baseAddress else { return false }
        defer { self.recordCount += 1 }
        return copenssl_seal_record(
            self.context,
            self.nonce,
            start,
            plaintext.assumingMemoryBound(to: UInt8.self).baseAddress,
            plaintext.count,
            type,
            start + RecordHeader.byteCount
        ) == 1
    }

    /// Decrypts a record.
    ///
    /// - Parameters:
    ///   - record: A header and all that belongs to it, a tag at least.
    ///   - plaintext: Room for what is between the two. It holds nonsense when this fails.
    /// - Returns: How many bytes there are, type and padding included; nil when it is not authentic.
    mutating func open(_ record: UnsafeRawBufferPointer, into plaintext: UnsafeMutableRawBufferPointer) -> Int? {
        let count = record.count - RecordHeader.byteCount - Self.tagByteCount
        precondition(count >= 0 && plaintext.count >= count, "a record needs its room")
        guard let start = record.assumingMemoryBound(to: UInt8.self).baseAddress else { return nil }
        defer { self.recordCount += 1 }
        let isAuthentic =
            copenssl_open_record(
                self.context,
                self.nonce,
                start,
                start + RecordHeader.byteCount,
                count,
                plaintext.assumingMemoryBound(to: UInt8.self).baseAddress
            ) == 1
        return isAuthentic ? count : nil
    }
}
