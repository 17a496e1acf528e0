// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// Gives memory back to the system once a crowd has come or gone; the allocator by itself keeps most of what the
/// handshakes, and those who left, took.
struct MemoryTrimmer {
    /// Smaller crowds leave nothing worth the walk over the heap.
    private static let worthwhile = 128
    /// How long to wait for the rest of the crowd, in nanoseconds.
    private static let delay: UInt64 = 1_000_000_000

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

    /// Trims if it is time.
    mutating func trimIfDue(at now: UInt64) {
        guard let deadline, now >= deadline else { return }
        self.deadline = nil
        countAtLastTrim = count
        clinux_trim_memory()
    }
}
