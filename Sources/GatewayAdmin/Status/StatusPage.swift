// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import GatewayRuntime
internal import Glibc
internal import IPCProtocol
internal import TLSEngine

/// What `/status` says, for `ipc-gateway status` and the dashboard.
struct StatusPage {
    let subject: AdminSubject
    let known: Reports.Known
    let figures: ProcessFigures
    let readiness: Readiness.Known?
    /// When the process began to serve, and now, in nanoseconds since 1970.
    let startedAt: Int64
    let now: Int64

    private static let mostRefusals = 100
    private static let mostCommands = 50
    private static let mostExpiries = 50

    func value() -> IPCValue {
        let configuration = subject.gateway.snapshot.configuration
        var members: [(String, IPCValue)] = [
            ("version", IPCValue(subject.version)), ("openssl", IPCValue(TLSContext.libraryVersion)),
            ("pid", IPCValue(Int(getpid()))), ("time", .seconds(now)), ("startedAt", .seconds(startedAt)),
            ("draining", .bool(subject.gateway.isDraining)), ("configuration", reload(configuration)),
            ("threads", threads), ("expiries", expiries),
            ("process", process),
        ]
        if let audit = subject.audit {
            members.append(
                (
                    "audit",
                    .members([("dropped", IPCValue(audit.droppedCount)), ("waiting", IPCValue(audit.waitingCount))])
                )
            )
        }
        if let readiness {
            members.append(("readiness", Readiness.body(readiness, isDraining: subject.gateway.isDraining)))
        }
        if let sum = known.sum { members += figures(of: sum, configuration) }
        return .members(members)
    }

    private func reload(_ configuration: GatewayConfiguration) -> IPCValue {
        let state = subject.reloader.state
        return .members([
            ("file", IPCValue(configuration.file)), ("generation", IPCValue(subject.gateway.snapshot.generation)),
            ("lastSuccess", .seconds(state.lastSuccess)),
            ("lastFailure", state.lastFailure.map { .seconds($0) } ?? .null),
            ("failures", IPCValue(state.failures)),
            ("problems", .array(state.problems.prefix(20).map { IPCValue($0) })),
        ])
    }

    private var process: IPCValue {
        .members([
            ("openFiles", figures.openFiles.map { IPCValue($0) } ?? .null),
            ("openFilesLimit", IPCValue(figures.openFilesLimit)),
            ("residentBytes", figures.residentBytes.map { IPCValue($0) } ?? .null),
        ])
    }

    private var threads: IPCValue {
        .array(
            known.answers.enumerated().map { thread, answers in
                let report = known.threads[thread]
                return .members([
                    ("thread", IPCValue(thread)), ("answers", .bool(answers)),
                    ("cpuSeconds", report.map { .seconds($0.processorTime) } ?? .null),
                    ("turns", report.map { IPCValue($0.turns) } ?? .null),
                    ("answerSeconds", report.map { .seconds($0.waited) } ?? .null),
                ])
            }
        )
    }

    private var expiries: IPCValue {
        .array(
            subject.gateway.snapshot.expiries.prefix(Self.mostExpiries).map { expiry in
                .members([
                    ("kind", IPCValue(expiry.kind.rawValue)), ("name", IPCValue(expiry.name)),
                    ("time", IPCValue(Double(expiry.time))),
                ])
            }
        )
    }

    // MARK: What threads count

    private func figures(of sum: ThreadReport, _ configuration: GatewayConfiguration) -> [(String, IPCValue)] {
        let listeners = configuration.listeners.enumerated().filter { $0.offset < sum.accepted.count }
        return [
            (
                "listeners",
                .array(
                    listeners.map { index, listener in
                        .members([
                            ("name", IPCValue(listener.name)),
                            ("open", IPCValue(max(0, sum.accepted[index] - sum.closed[index]))),
                            ("total", IPCValue(sum.accepted[index])),
                        ])
                    }
                )
            ),
            (
                "sessions",
                .members([
                    ("live", IPCValue(sum.sessions - sum.detached)), ("detached", IPCValue(sum.detached)),
                    ("newcomers", IPCValue(sum.newcomers)), ("begun", IPCValue(sum.sessionsBegun)),
                    ("resumed", IPCValue(sum.sessionsResumed)), ("lost", IPCValue(sum.sessionsDetached)),
                ])
            ),
            ("handshakes", .counts(sum.handshakes)), ("closed", .counts(sum.closings)),
            ("refused", .counts(sum.denials)),
            ("calls", requests(sum, .call, open: sum.openCalls)),
            ("listens", requests(sum, .listen, open: sum.openListens)),
            (
                "bytes", .members([("received", IPCValue(sum.bytesIn)), ("sent", IPCValue(sum.bytesOut))])
            ),
            (
                "queues",
                .members([
                    ("toClients", IPCValue(sum.queuedToClients.sum)),
                    ("toClientsMost", IPCValue(sum.queuedToClients.greatest)),
                    ("toUpstreams", IPCValue(sum.queuedToUpstreams.sum)),
                    ("toUpstreamsMost", IPCValue(sum.queuedToUpstreams.greatest)),
                    ("unacknowledged", IPCValue(sum.unacknowledged.sum)),
                ])
            ),
            ("upstreams", upstreams(sum)),
            ("latencyBounds", .array(LatencyBuckets.bounds.map { .seconds($0) })),
            ("refusals", refusals(sum)), ("refusalsOmitted", IPCValue(sum.refusalsOmitted)),
        ]
    }

    private func requests(_ sum: ThreadReport, _ request: AccessPolicy.Request, open: Int) -> IPCValue {
        var outcomes: [String: Int] = [:]
        var names: [(from: String, channel: String, name: String, total: Int, refused: Int)] = []
        for count in NamedCounts(sum, request).all {
            outcomes[count.outcome.rawValue, default: 0] += count.count
            // The end of a subscription was counted when it began.
            if [.ended, .revoked].contains(count.outcome) { continue }
            if request == .listen, [.lost, .closed].contains(count.outcome) { continue }
            let isSame = names.last.map {
                $0.from == count.from && $0.channel.utf8.elementsEqual(count.channel.utf8)
                    && $0.name.utf8.elementsEqual(count.name.utf8)
            }
            if isSame != true { names.append((count.from, count.channel, count.name, 0, 0)) }
            names[names.count - 1].total += count.count
            let isRefused = [.denied, .limit, .busy, .noRoute, .unavailable, .draining].contains(count.outcome)
            if isRefused { names[names.count - 1].refused += count.count }
        }
        let total = names.reduce(0) { $0 + $1.total }
        let busiest = names.sorted { $0.total > $1.total }.prefix(Self.mostCommands)
        return .members([
            ("open", IPCValue(open)), ("total", IPCValue(total)), ("outcomes", .counts(outcomes)),
            (
                "busiest",
                .array(
                    busiest.map {
                        .members([
                            ("from", IPCValue($0.from)), ("channel", IPCValue($0.channel)), ("name", IPCValue($0.name)),
                            ("total", IPCValue($0.total)), ("refused", IPCValue($0.refused)),
                        ])
                    }
                )
            ),
        ])
    }

    private func upstreams(_ sum: ThreadReport) -> IPCValue {
        .array(
            sum.names.upstreams.enumerated().dropFirst().map { place, name in
                let losses = sum.upstreamLosses.filter { $0.key.upstream == place }
                return .members([
                    ("name", IPCValue(name)),
                    ("connects", IPCValue(place < sum.upstreamConnects.count ? sum.upstreamConnects[place] : 0)),
                    ("failures", .counts(Dictionary(losses.map { ($0.key.reason, $0.value) }, uniquingKeysWith: +))),
                    ("latencies", .array(sum.latencies(ofUpstream: place).map { IPCValue($0) })),
                    ("seconds", .seconds(place < sum.latencySums.count ? sum.latencySums[place] : 0)),
                ])
            }
        )
    }

    private func refusals(_ sum: ThreadReport) -> IPCValue {
        .array(
            sum.refusals.sorted { $0.time > $1.time }.prefix(Self.mostRefusals).map { refusal in
                .members([
                    ("time", .seconds(refusal.time)), ("kind", IPCValue(refusal.kind.rawValue)),
                    ("identity", .text(refusal.identity)), ("peer", .text(refusal.peer)),
                    ("channel", IPCValue(refusal.channel)), ("name", IPCValue(refusal.name)),
                    ("cause", IPCValue(refusal.cause)), ("rule", .text(refusal.rule)),
                ])
            }
        )
    }
}
