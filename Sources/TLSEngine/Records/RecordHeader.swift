// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The five bytes before a record: type, version, length (RFC 8446, 5.1).
struct RecordHeader {
    static let byteCount = Int(copenssl_record_header_bytes)
    /// What a record holds at most before it is encrypted.
    static let largestPlaintext = 1 << 14
    /// That of TLS 1.2, in every record of TLS 1.3.
    private static let version: (UInt8, UInt8) = (3, 3)

    var type: UInt8
    var hasVersion = true
    /// How many bytes follow.
    var bodyByteCount: Int

    init(type: UInt8, bodyByteCount: Int) {
        self.type = type
        self.bodyByteCount = bodyByteCount
    }

    /// - Precondition: There are five bytes at least.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.type = bytes[0]
        self.hasVersion = (bytes[1], bytes[2]) == Self.version
        self.bodyByteCount = Int(bytes[3]) << 8 | Int(bytes[4])
    }

    func write(to bytes: UnsafeMutableBufferPointer<UInt8>) {
        (bytes[0], bytes[1], bytes[2]) = (self.type, Self.version.0, Self.version.1)
        (bytes[3], bytes[4]) = (UInt8(self.bodyByteCount >> 8), UInt8(self.bodyByteCount & 0xff))
    }
}
