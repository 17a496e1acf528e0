// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes that wait, first in, first out, in one piece of memory.
struct ByteQueue {
    /// Memory that an emptied queue keeps.
    private static let keptCapacity = 4 << 10

    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { bytes.count == head }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: more)
    }

    mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    /// Removes the first `count` bytes.
    mutating func consume(_ count: Int) {
        head += count
        if head == bytes.count {
            head = 0
            if bytes.capacity > Self.keptCapacity { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        } else if head > 64 << 10, head > bytes.count / 2 {
            // More is consumed than left, so each byte is moved at most once for each that was consumed.
            bytes.removeFirst(head)
            head = 0
        }
    }

    mutating func withUnsafeMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        let head = head
        return bytes.withUnsafeMutableBytes { body(UnsafeMutableRawBufferPointer(rebasing: $0[head...])) }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[head...])) }
    }
}
