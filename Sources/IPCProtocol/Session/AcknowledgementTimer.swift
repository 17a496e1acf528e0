// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// When an Ack frame is due for what nothing else has acknowledged.
///
/// As in VS Code each message starts the wait anew; there a stream whose messages follow each other closely is acknowledged
/// by keep-alives alone, and never where these are off. So this one has an upper bound, too.
struct AcknowledgementTimer: Sendable {
    private let quiet: UInt64
    private let atMost: UInt64
    private var firstAt: UInt64?
    private var lastAt: UInt64 = 0

    init(settings: SessionSettings) {
        quiet = settings.acknowledgeAfter
        atMost = settings.acknowledgeAtMostAfter
    }

    /// When; `UInt64.max` for not at all.
    var dueAt: UInt64 {
        guard let firstAt else { return .max }
        return min(lastAt.adding(quiet), firstAt.adding(atMost))
    }

    /// A message was accepted.
    mutating func accepted(at now: UInt64) {
        firstAt = firstAt ?? now
        lastAt = now
    }

    /// All messages are acknowledged by something that was sent.
    mutating func acknowledged() {
        firstAt = nil
    }
}

extension UInt64 {
    /// A time later by so much; the end of time is never passed.
    func adding(_ duration: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(duration)
        return overflow ? .max : sum
    }

    /// The time since then; 0 when that is still to come.
    func since(_ start: UInt64) -> UInt64 {
        self > start ? self - start : 0
    }
}
