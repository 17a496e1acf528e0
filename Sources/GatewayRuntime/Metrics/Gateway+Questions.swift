// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import IPCProtocol

/// Questions to the threads. Each answers on its own, when it gets round to it; who asks decides how long to wait.
extension Gateway {
    /// How many threads there are.
    public var threadCount: Int { sessionThreads.count }

    /// Asks every thread whether it is there.
    ///
    /// - Parameter answer: Called by each thread with its number.
    public func askForLife(_ answer: @escaping @Sendable (Int) -> Void) {
        for (index, thread) in sessionThreads.enumerated() {
            // One that is done has nothing to do with hanging.
            if thread.hasEnded { answer(index) } else { thread.ask { _ in answer(index) } }
        }
    }

    /// Asks every thread what it has counted.
    ///
    /// - Parameter answer: Called by each thread with its number, and nil for one that has ended.
    public func askForReport(_ answer: @escaping @Sendable (Int, ThreadReport?) -> Void) {
        let asked = MonotonicClock.now()
        for (index, thread) in sessionThreads.enumerated() {
            if thread.hasEnded {
                answer(index, nil)
                continue
            }
            thread.ask { environment in
                let collection = Collection(ThreadReport(thread: index), environment, asked: asked)
                let census = Census(
                    on: environment.reactor,
                    visit: { collection.add($0) },
                    whenDone: { answer(index, collection.report) }
                )
                census.start()
            }
        }
    }

    /// Asks every thread for sessions.
    ///
    /// - Parameters:
    ///   - filter: Which.
    ///   - first: The lowest number that is of interest.
    ///   - count: How many of each thread at most, those with the lowest numbers.
    ///   - answer: Called by each thread with its number, sessions in the order of theirs, and how many match altogether.
    public func askForSessions(
        _ filter: SessionFilter,
        from first: Int,
        count: Int,
        _ answer: @escaping @Sendable (Int, [SessionSummary], Int) -> Void
    ) {
        for (index, thread) in sessionThreads.enumerated() {
            if thread.hasEnded {
                answer(index, [], 0)
                continue
            }
            thread.ask { environment in
                let found = Found()
                let census = Census(
                    on: environment.reactor,
                    visit: { bridge in
                        if filter.matches(bridge) {
                            found.bridges.append(WeakBridge(bridge: bridge, number: bridge.number))
                        }
                    },
                    whenDone: {
                        let wanted = found.bridges.filter { $0.number >= first }.sorted { $0.number < $1.number }
                        let summaries = wanted.prefix(max(0, count)).compactMap { $0.bridge?.summary }
                        answer(index, summaries, found.bridges.count)
                    }
                )
                census.start()
            }
        }
    }

    /// Ends sessions.
    ///
    /// - Parameters:
    ///   - filter: Which; it has to name one, or an identity.
    ///   - answer: Called by each thread with its number, and how many it has ended.
    public func closeSessions(_ filter: SessionFilter, _ answer: @escaping @Sendable (Int, Int) -> Void) {
        for (index, thread) in sessionThreads.enumerated() {
            if thread.hasEnded {
                answer(index, 0)
                continue
            }
            thread.ask { environment in
                let found = Found()
                let census = Census(
                    on: environment.reactor,
                    visit: { bridge in
                        guard filter.matches(bridge) else { return }
                        found.count += 1
                        bridge.close(CloseReason(.closedByOperator, "closed by the operator"))
                        bridge.settle()
                    },
                    whenDone: { answer(index, found.count) }
                )
                census.start()
            }
        }
    }

    private struct WeakBridge {
        weak var bridge: Bridge?
        var number: Int
    }

    private final class Found {
        var bridges: [WeakBridge] = []
        var count = 0
    }

    /// A report that is being written.
    private final class Collection {
        var report: ThreadReport

        init(_ report: ThreadReport, _ environment: BridgeEnvironment, asked: UInt64) {
            self.report = report
            self.report.fill(from: environment, asked: asked)
        }

        func add(_ bridge: Bridge) {
            guard bridge.phase == .open, let session = bridge.session else {
                if bridge.phase != .lingering { report.newcomers += 1 }
                return
            }
            report.sessions += 1
            if bridge.isDetached { report.detached += 1 }
            report.openCalls += session.openCallCount
            report.openListens += session.openListenCount
            report.queuedToClients.add(bridge.client.backlogByteCount)
            for link in bridge.links { report.queuedToUpstreams.add(link.backlogByteCount) }
            if let persistence = bridge.persistence {
                report.unacknowledged.add(persistence.session.unacknowledgedByteCount)
            }
        }
    }
}

extension ThreadReport {
    fileprivate mutating func fill(from environment: BridgeEnvironment, asked: UInt64) {
        let meter = environment.meter
        let requests = meter.requests.figures
        let scratch = environment.reactor.scratch
        waited = MonotonicClock.now() - asked
        processorTime = MonotonicClock.threadProcessorTime()
        turns = environment.reactor.turnCount
        names = requests.names
        requestCounts = requests.counts
        latencies = requests.latencies
        latencySums = requests.latencySums
        accepted = meter.accepted
        closed = meter.closed
        handshakes = meter.handshakes
        closings = meter.closings
        denials = meter.denials
        bytesIn = scratch.receivedByteCount
        bytesOut = scratch.sentByteCount
        sessionsBegun = meter.sessionsBegun
        sessionsResumed = meter.sessionsResumed
        sessionsDetached = meter.sessionsDetached
        upstreamConnects = meter.upstreamConnects
        upstreamLosses = meter.upstreamLosses
        refusals = meter.latestRefusals
        refusalsOmitted = meter.refusalsOmitted
    }
}
