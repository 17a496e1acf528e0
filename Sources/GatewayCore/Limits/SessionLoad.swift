// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What sessions that outlive their connections use up together, on whatever thread they are.
///
/// Its methods may be called from any thread.
public final class SessionLoad: Sendable {
    private let sessions = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)

    /// Starts with nothing used up.
    public init() {}

    /// How many wait for their clients.
    public var count: Int { sessions.load(ordering: .relaxed) }

    /// How many bytes are kept for clients that have not acknowledged them.
    public var byteCount: Int { bytes.load(ordering: .relaxed) }

    /// Counts one more that waits, if there is room.
    public func add(limit: Int) -> Bool {
        guard sessions.add(1, ordering: .relaxed).newValue <= limit else {
            remove()
            return false
        }
        return true
    }

    /// Counts one less that waits.
    public func remove() {
        sessions.subtract(1, ordering: .relaxed)
    }

    /// Counts bytes, or with a negative number discounts them.
    public func addBytes(_ count: Int) {
        bytes.add(count, ordering: .relaxed)
    }
}
