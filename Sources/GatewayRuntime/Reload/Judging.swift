// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore

/// Judges the sessions of a thread by a new snapshot, some in each turn of the loop, so that the others have theirs.
final class Judging: EventHandler {
    /// How much of a turn it takes, in nanoseconds. Verifying a certificate takes a fraction of a millisecond.
    private static let slice: UInt64 = 2_000_000

    private let edition: Edition
    private let reactor: Reactor
    private var waiting: [Reactor.Handle]
    private var report = ReloadReport()
    private var handle: Reactor.Handle?

    init(_ edition: Edition, on reactor: Reactor) {
        self.edition = edition
        self.reactor = reactor
        waiting = reactor.handles { handler, role in handler is any JudgedAnew && role == Bridge.clientRole }
    }

    func start() {
        let handle = reactor.makeHandle(self)
        self.handle = handle
        reactor.continueSoon(handle)
    }

    /// Takes note of a session that was judged.
    func note(_ verdict: Bridge.Verdict) {
        switch verdict {
        case .notJudged: return
        case .goesOn(let endedListens):
            report.endedListens += endedListens
            if endedListens > 0 { report.changed += 1 }
        case .cut: report.cut += 1
        }
        report.judged += 1
    }

    func continueNow() {
        guard let handle else { return }
        let end = MonotonicClock.now() + Self.slice
        while let next = waiting.popLast() {
            (reactor.handler(of: next) as? any JudgedAnew)?.judgeAnew()
            if MonotonicClock.now() >= end { return reactor.continueSoon(handle) }
        }
        finish()
    }

    /// Everything is judged, or something newer takes over.
    func finish() {
        guard let handle else { return }
        reactor.release(handle)
        self.handle = nil
        edition.threadIsDone(report)
    }

    func stopping() { finish() }

    func abandon() { finish() }

    func ready(_ readiness: Readiness, role: UInt8) {}

    func deadlinePassed(_ deadline: UInt64) {}

    func costlyTurn() {}
}
