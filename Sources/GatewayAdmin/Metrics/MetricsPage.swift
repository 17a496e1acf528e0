// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import GatewayRuntime
internal import TLSEngine

/// What `/metrics` says.
struct MetricsPage {
    let subject: AdminSubject
    let known: Reports.Known
    let figures: ProcessFigures
    /// When the process began to serve, in nanoseconds since 1970.
    let startedAt: Int64

    private static let mostExpiries = 200

    func render() -> [UInt8] {
        var text = MetricsText()
        addProcess(&text)
        addReload(&text)
        addThreads(&text)
        if let sum = known.sum {
            addConnections(sum, &text)
            addSessions(sum, &text)
            addRequests(sum, &text)
            addUpstreams(sum, &text)
        }
        return text.bytes
    }

    // MARK: The process

    private func addProcess(_ text: inout MetricsText) {
        text.begin("build_info", .gauge, "Always 1; which program this is.")
        text.sample([("version", subject.version), ("openssl", TLSContext.libraryVersion)], 1)
        text.add("start_time_seconds", .gauge, "When the gateway was started, Unix time.", Self.time(startedAt))
        text.add("draining", .gauge, "1 while the gateway drains or stops.", subject.gateway.isDraining ? 1 : 0)
        if let files = figures.openFiles { text.add("open_files", .gauge, "Open file descriptors.", files) }
        text.add("open_files_limit", .gauge, "How many file descriptors may be open.", figures.openFilesLimit)
        if let bytes = figures.residentBytes { text.add("resident_bytes", .gauge, "Memory that is held.", bytes) }
        if let audit = subject.audit {
            text.add("audit_dropped_total", .counter, "Audit lines that found the queue full.", audit.droppedCount)
            text.add("audit_waiting", .gauge, "Audit lines that are not written yet.", audit.waitingCount)
        }
    }

    private func addReload(_ text: inout MetricsText) {
        let snapshot = subject.gateway.snapshot
        let state = subject.reloader.state
        text.add("configuration_generation", .gauge, "Number of the configuration in force.", snapshot.generation)
        let success = "When the configuration in force was taken, Unix time."
        text.add("reload_last_success_timestamp_seconds", .gauge, success, Self.time(state.lastSuccess))
        let failure = "When a reload failed last, Unix time; 0 for never."
        text.add("reload_last_failure_timestamp_seconds", .gauge, failure, Self.time(state.lastFailure ?? 0))
        text.add("reload_failures_total", .counter, "Reloads that failed.", state.failures)
        text.begin(
            "expiry_timestamp_seconds",
            .gauge,
            "Until when certificates and revocation lists are good, Unix time."
        )
        // Two with the same name (a certificate and its successor) are one: the first to expire.
        var seen: Set<[String]> = []
        for expiry in snapshot.expiries.prefix(Self.mostExpiries)
        where seen.insert([expiry.kind.rawValue, expiry.name]).inserted {
            text.sample([("kind", expiry.kind.rawValue), ("name", expiry.name)], expiry.time)
        }
    }

    private static func time(_ nanoseconds: Int64) -> String {
        MetricsText.seconds(UInt64(max(0, nanoseconds)) / 1_000_000 * 1_000_000)
    }

    private func addThreads(_ text: inout MetricsText) {
        func each(_ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (ThreadReport) -> String) {
            text.begin(name, kind, help)
            for report in known.threads.compactMap(\.self) {
                text.sample([("thread", "\(report.thread)")], value(report))
            }
        }
        text.begin(
            "reactor_up",
            .gauge,
            "Whether a thread has answered in time; the figures of one that has not are old."
        )
        for (thread, answers) in known.answers.enumerated() {
            text.sample([("thread", "\(thread)")], answers ? 1 : 0)
        }
        let time = "Processor time of a thread; its rate is the share of a core that it uses."
        each("reactor_cpu_seconds_total", .counter, time) { MetricsText.seconds($0.processorTime) }
        each("reactor_turns_total", .counter, "Turns of a thread's loop.") { "\($0.turns)" }
        each("reactor_answer_seconds", .gauge, "How long a thread took to answer.") { MetricsText.seconds($0.waited) }
    }

    // MARK: Connections

    private func addConnections(_ sum: ThreadReport, _ text: inout MetricsText) {
        let names = subject.gateway.snapshot.configuration.listeners.map(\.name)
        text.begin("connections_total", .counter, "Connections that were accepted from the network.")
        for (name, count) in zip(names, sum.accepted) { text.sample([("listener", name)], count) }
        text.begin("connections", .gauge, "Connections that are open.")
        for (index, name) in names.enumerated() where index < sum.accepted.count {
            text.sample([("listener", name)], max(0, sum.accepted[index] - sum.closed[index]))
        }
        text.add("newcomers", .gauge, "Connections whose context has not been accepted yet.", sum.newcomers)
        let results = "TLS handshakes by result: full, resumed, or why not."
        add("handshakes_total", results, "result", sum.handshakes, &text)
        add("closed_total", "Connections and sessions that ended, by reason.", "reason", sum.closings, &text)
        add("refused_total", "Calls and listens that did not pass, by cause.", "cause", sum.denials, &text)
        text.add("received_bytes_total", .counter, "Bytes from clients, TLS included.", sum.bytesIn)
        text.add("sent_bytes_total", .counter, "Bytes to clients, TLS included.", sum.bytesOut)
        text.begin("queued_bytes", .gauge, "Bytes that wait to be taken.")
        text.sample([("to", "clients")], sum.queuedToClients.sum)
        text.sample([("to", "upstreams")], sum.queuedToUpstreams.sum)
        text.begin("queued_bytes_max", .gauge, "Bytes that wait for the one for whom most does.")
        text.sample([("to", "clients")], sum.queuedToClients.greatest)
        text.sample([("to", "upstreams")], sum.queuedToUpstreams.greatest)
        let kept = "Bytes that persistent sessions keep because clients have not acknowledged them."
        text.add("unacknowledged_bytes", .gauge, kept, sum.unacknowledged.sum)
    }

    private func add(
        _ name: String,
        _ help: String,
        _ label: String,
        _ counts: [String: Int],
        _ text: inout MetricsText
    ) {
        text.begin(name, .counter, help)
        for (value, count) in counts.sorted(by: { $0.key < $1.key }) { text.sample([(label, value)], count) }
    }

    private func addSessions(_ sum: ThreadReport, _ text: inout MetricsText) {
        text.begin("sessions", .gauge, "Sessions, by whether their client is there.")
        text.sample([("client", "attached")], sum.sessions - sum.detached)
        text.sample([("client", "detached")], sum.detached)
        text.add("sessions_begun_total", .counter, "Sessions whose context was accepted.", sum.sessionsBegun)
        text.add(
            "sessions_detached_total",
            .counter,
            "Clients that were lost while their session waited.",
            sum.sessionsDetached
        )
        text.add("sessions_resumed_total", .counter, "Clients that came back to their session.", sum.sessionsResumed)
    }

    // MARK: Requests

    private func addRequests(_ sum: ThreadReport, _ text: inout MetricsText) {
        text.add("calls_open", .gauge, "Calls that wait for their answer.", sum.openCalls)
        text.add("listens_open", .gauge, "Subscriptions.", sum.openListens)
        let calls = "Calls by what became of them; names that no rule is written with are 'other'."
        add("calls_total", calls, .call, "command", sum, &text)
        add("listens_total", "Listens: 'open' when they began, and later how they ended.", .listen, "event", sum, &text)
    }

    private func add(
        _ metric: String,
        _ help: String,
        _ request: AccessPolicy.Request,
        _ label: String,
        _ sum: ThreadReport,
        _ text: inout MetricsText
    ) {
        text.begin(metric, .counter, help)
        for count in NamedCounts(sum, request).all {
            text.sample(
                [
                    ("from", count.from), ("channel", count.channel), (label, count.name),
                    ("outcome", count.outcome.rawValue),
                ],
                count.count
            )
        }
    }

    private func addUpstreams(_ sum: ThreadReport, _ text: inout MetricsText) {
        let names = sum.names.upstreams
        let places = names.indices.filter { $0 > 0 || (sum.upstreamConnects.first ?? 0) > 0 }
        func name(_ place: Int) -> String { place == 0 ? "other" : names[place] }
        text.begin("upstream_connects_total", .counter, "Connections to local servers that were made.")
        for place in places where place < sum.upstreamConnects.count {
            text.sample([("upstream", name(place))], sum.upstreamConnects[place])
        }
        text.begin("upstream_failures_total", .counter, "Local servers that could not be reached, or were lost.")
        let losses = sum.upstreamLosses.sorted { ($0.key.upstream, $0.key.reason) < ($1.key.upstream, $1.key.reason) }
        for (loss, count) in losses {
            text.sample([("upstream", name(loss.upstream)), ("reason", loss.reason)], count)
        }
        text.begin("call_duration_seconds", .histogram, "From a call's passing to its answer.")
        for place in places {
            let sumOfTimes = place < sum.latencySums.count ? sum.latencySums[place] : 0
            text.histogram(
                [("upstream", name(place))],
                LatencyBuckets.bounds,
                sum.latencies(ofUpstream: place),
                sum: sumOfTimes
            )
        }
    }
}
