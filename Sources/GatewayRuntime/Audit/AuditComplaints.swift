// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// What the audit log says of itself in the other log: now and then, not for each line.
struct AuditComplaints {
    /// Time between two complaints about the same, in nanoseconds.
    private static let interval: UInt64 = 10_000_000_000

    private let logger: Logger
    private var hasFailed = false
    private var nextFailure: UInt64 = 0
    private var nextDrop: UInt64 = 0
    private var knownDrops = 0

    init(_ logger: Logger) {
        self.logger = logger
    }

    mutating func failed(_ target: String, _ error: SystemError, waiting: Int, dropped: Int) {
        hasFailed = true
        let now = MonotonicClock.now()
        guard now >= nextFailure else { return }
        nextFailure = now + Self.interval
        knownDrops = dropped
        logger.error(
            "the audit log cannot be written; it is tried again",
            metadata: ["detail": "\(target): \(error.reason)", "waiting": "\(waiting)", "dropped": "\(dropped)"]
        )
    }

    mutating func succeeded() {
        guard hasFailed else { return }
        hasFailed = false
        nextFailure = 0
        logger.notice("the audit log is written again")
    }

    /// Takes note of how many lines have been dropped.
    mutating func dropped(_ count: Int) {
        guard count > knownDrops, MonotonicClock.now() >= nextDrop else { return }
        nextDrop = MonotonicClock.now() + Self.interval
        knownDrops = count
        logger.error(
            "audit lines are dropped: they come faster than they are taken (audit.queue)",
            metadata: ["dropped": "\(count)"]
        )
    }

    /// The last word.
    func ended(_ count: Int) {
        guard count > knownDrops else { return }
        logger.error("audit lines have been dropped", metadata: ["dropped": "\(count)"])
    }

    func reopened(_ target: String) {
        logger.notice("audit log reopened", metadata: ["detail": "\(target)"])
    }

    func notReopened(_ target: String, _ error: SystemError) {
        logger.error(
            "the audit log cannot be reopened; it is written where it was",
            metadata: ["detail": "\(target): \(error.reason)"]
        )
    }
}
