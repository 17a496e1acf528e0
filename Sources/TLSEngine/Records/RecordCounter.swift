// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Counts the encrypted records in what OpenSSL writes, in pieces of any size, from the moment on when it writes with the
/// keys of data. The next record needs the next number.
struct RecordCounter {
    private(set) var recordCount: UInt64 = 0
    private var header: [UInt8] = []
    private var rest = 0

    /// Whether what was written ends with a record.
    var isAtBoundary: Bool { self.header.isEmpty && self.rest == 0 }

    mutating func count(_ bytes: UnsafeRawBufferPointer) {
        var bytes = bytes
        while !bytes.isEmpty {
            let skipped = min(self.rest, bytes.count)
            self.rest -= skipped
            let taken = min(RecordHeader.byteCount - self.header.count, bytes.count - skipped)
            self.header += bytes[skipped..<skipped + taken]
            bytes = UnsafeRawBufferPointer(rebasing: bytes[(skipped + taken)...])
            guard self.header.count == RecordHeader.byteCount else { continue }
            let complete = self.header.withUnsafeBytes { RecordHeader($0) }
            // Others are not encrypted, and have no number.
            if complete.type == UInt8(SSL3_RT_APPLICATION_DATA) { self.recordCount += 1 }
            self.rest = complete.bodyByteCount
            self.header = []
        }
    }
}
