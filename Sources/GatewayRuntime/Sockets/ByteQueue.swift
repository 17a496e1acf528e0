// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Bytes that wait, first in, first out, in one piece of memory.
struct ByteQueue {
    /// Memory that an emptied queue keeps.
    private static let keptCapacity = 4 << 10
    /// Fewer bytes are copied rather than judged in two pieces.
    private static let worthSparing = 16 << 10

    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { bytes.count == head }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        // An array looks for room for nothing, too.
        guard !more.isEmpty else { return }
        bytes.append(contentsOf: more)
    }

    /// Adds the beginning of a frame, and makes room for the rest of it. Who announces a frame has not sent it yet, so there
    /// is not more room than for a few times of what has come.
    mutating func append(_ more: UnsafeRawBufferPointer, ofFrame byteCount: Int?) {
        guard !more.isEmpty else { return }
        if let byteCount { bytes.reserveCapacity(min(byteCount, 4 * more.count)) }
        bytes.append(contentsOf: more)
    }

    /// Of bytes that have come behind those that wait here, how many to add: of many only those that the first frame lacks,
    /// so that what follows it need not be copied.
    ///
    /// - Parameter byteCount: How long the first frame is, if it is not complete; nil when that is not known.
    func share(of more: Int, toComplete byteCount: Int?) -> Int {
        guard more > Self.worthSparing, let byteCount, byteCount > count else { return more }
        return min(more, byteCount - count)
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
