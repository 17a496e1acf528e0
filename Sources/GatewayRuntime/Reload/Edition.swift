// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Synchronization

/// A snapshot on its way to the threads, and what has become of their sessions.
final class Edition: Sendable {
    private struct State {
        var report = ReloadReport()
        var threadsLeft: Int
    }

    let snapshot: GatewaySnapshot
    /// What is counted: the names of this snapshot and of those before.
    let names: MeterNames
    private let state: Mutex<State>
    private let whenDone: @Sendable (ReloadReport) -> Void

    /// - Parameters:
    ///   - snapshot: What connections are judged by.
    ///   - names: What is counted.
    ///   - threadCount: How many threads will say that they are done.
    ///   - whenDone: Called on the last of them.
    init(
        _ snapshot: GatewaySnapshot,
        names: MeterNames,
        threadCount: Int,
        whenDone: @escaping @Sendable (ReloadReport) -> Void = { _ in }
    ) {
        self.snapshot = snapshot
        self.names = names
        state = Mutex(State(threadsLeft: threadCount))
        self.whenDone = whenDone
    }

    /// A thread has judged all of its sessions, or has none any more. Each says so once.
    func threadIsDone(_ report: ReloadReport) {
        let total = state.withLock { state -> ReloadReport? in
            state.report.add(report)
            state.threadsLeft -= 1
            return state.threadsLeft == 0 ? state.report : nil
        }
        if let total { whenDone(total) }
    }
}

/// What has become of live sessions by a new configuration.
struct ReloadReport: Sendable {
    /// Sessions that were judged, those included whose client is away.
    var judged = 0
    /// Those of them that ended.
    var cut = 0
    /// Those that go on without some of their subscriptions.
    var changed = 0
    /// The subscriptions that ended.
    var endedListens = 0

    mutating func add(_ other: ReloadReport) {
        judged += other.judged
        cut += other.cut
        changed += other.changed
        endedListens += other.endedListens
    }
}
