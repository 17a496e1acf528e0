// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What sessions that wait for their clients use up together, on whatever thread they are.
///
/// Its methods may be called from any thread.
public final class DetachedLoad: Sendable {
    private let sessions = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)

    /// Starts with nothing used up.
    public init() {}

    /// How many there are.
    public var count: Int { sessions.load(ordering: .relaxed) }

    /// How many bytes they hold.
    public var byteCount: Int { bytes.load(ordering: .relaxed) }

    /// Counts one session more, if there is room.
    public func add(limit: Int) -> Bool {
        guard sessions.add(1, ordering: .relaxed).newValue <= limit else {
            remove()
            return false
        }
        return true
    }

    /// Counts one session less.
    public func remove() {
        sessions.subtract(1, ordering: .relaxed)
    }

    /// Counts bytes, or with a negative number discounts them.
    public func addBytes(_ count: Int) {
        bytes.add(count, ordering: .relaxed)
    }
}
