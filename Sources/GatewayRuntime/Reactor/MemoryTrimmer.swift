// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// Gives memory back to the system once a crowd has come or gone, or large messages have passed; the allocator by itself
/// keeps most of what the handshakes, those who left, and the buffers of messages took.
struct MemoryTrimmer {
    /// Smaller crowds leave nothing worth the walk over the heap.
    private static let worthwhile = 128
    /// How long to wait for the rest of the crowd, in nanoseconds.
    private static let delay: UInt64 = 1_000_000_000

    /// How many bytes of large messages leave holes that are worth it: each is as large as its message, between what
    /// connections keep.
    private static let worthwhileBytes = 4 << 20

    /// How long it is put off while more of them come: who sends without a pause is not to make everybody else wait for
    /// the allocator again and again.
    private static let longestDelay: UInt64 = 10_000_000_000

    private var releasedByteCount = 0
    private var firstReleaseAt: UInt64?
    private var countAtLastTrim = 0
    private var count = 0
    /// When to trim; nil when there is nothing to do.
    private(set) var deadline: UInt64?

    /// Takes note of how many handles are in use.
    mutating func noteHandles(_ count: Int, at now: UInt64) {
        self.count = count
        let change = abs(count - countAtLastTrim)
        if deadline == nil, change >= Self.worthwhile, change >= countAtLastTrim / 2 { deadline = now + Self.delay }
    }

    /// Takes note of memory that a message held until it was complete.
    mutating func noteReleased(_ byteCount: Int, at now: UInt64) {
        releasedByteCount += byteCount
        guard releasedByteCount >= Self.worthwhileBytes else { return }
        let first = firstReleaseAt ?? now
        firstReleaseAt = first
        deadline = min(now + Self.delay, first + Self.longestDelay)
    }

    /// Trims if it is time.
    mutating func trimIfDue(at now: UInt64) {
        guard let deadline, now >= deadline else { return }
        self.deadline = nil
        countAtLastTrim = count
        releasedByteCount = 0
        firstReleaseAt = nil
        clinux_trim_memory()
    }
}
