// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the end of a gateway has cut.
public struct DrainReport: Sendable, Equatable {
    /// Calls that were passed or kept, and that nobody got an answer to.
    public var calls = 0
    /// Sessions that ended with such calls, or before their clients had everything that was sent to them.
    public var sessions = 0

    /// Whether everything came to its end by itself.
    public var isClean: Bool { sessions == 0 }
}

/// Counts, over all threads, what the end of the gateway has cut.
final class DrainTally: Sendable {
    private let calls = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)

    /// A session was cut.
    func noteCut(calls count: Int) {
        calls.add(count, ordering: .relaxed)
        sessions.add(1, ordering: .relaxed)
    }

    var report: DrainReport {
        DrainReport(calls: calls.load(ordering: .relaxed), sessions: sessions.load(ordering: .relaxed))
    }
}
