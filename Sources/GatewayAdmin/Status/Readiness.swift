// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import GatewayRuntime
internal import IPCProtocol
internal import NIOPosix

/// Whether the gateway is of use: its threads answer, and its local servers speak the protocol.
actor Readiness {
    /// How old an answer may be: however often somebody asks, servers are asked once in that time.
    private static let freshness = Duration.seconds(1)

    /// What is known of the local servers.
    struct Known: Sendable {
        /// A finding for each that is asked.
        var findings: [UpstreamProbe.Finding]
        /// The names of the others.
        var unchecked: [String]

        var isGood: Bool { findings.allSatisfy { $0.problem == nil } }
    }

    private let gateway: Gateway
    private let threads: NIOThreadPool
    private var known: (known: Known, generation: Int, at: ContinuousClock.Instant)?
    private var asking: Task<Known, Never>?

    /// - Parameters:
    ///   - gateway: Whose servers are asked.
    ///   - threads: Where waiting for them is done: threads of tasks must not.
    init(_ gateway: Gateway, threads: NIOThreadPool) {
        self.gateway = gateway
        self.threads = threads
    }

    /// What was found out last; nil when nobody has asked for a while.
    var last: Known? {
        guard let known, ContinuousClock.now - known.at < .seconds(60) else { return nil }
        return known.known
    }

    /// What the local servers say.
    func current() async -> Known {
        let snapshot = gateway.snapshot
        if let known, known.generation == snapshot.generation, ContinuousClock.now - known.at < Self.freshness {
            return known.known
        }
        if let asking { return await asking.value }
        let task = Task { await ask() }
        asking = task
        return await task.value
    }

    private func ask() async -> Known {
        let snapshot = gateway.snapshot
        let configuration = snapshot.configuration
        let servers = configuration.upstreams.filter(\.isChecked)
            .map { UpstreamProbe.Server(name: $0.name, path: configuration.resolve($0.unix)) }
        let unchecked = configuration.upstreams.filter { !$0.isChecked }.map(\.name)
        let context = configuration.admin?.healthContext ?? ""
        let limit = configuration.admin?.healthDeadline ?? 2_000_000_000
        defer { asking = nil }
        let findings = try? await threads.runIfActive {
            UpstreamProbe.ask(servers, context: context, within: limit)
        }
        // They do nothing any more when the endpoint ends.
        guard let findings else { return Known(findings: [], unchecked: configuration.upstreams.map(\.name)) }
        let found = Known(findings: findings, unchecked: unchecked)
        known = (found, snapshot.generation, ContinuousClock.now)
        return found
    }

    /// The answer, for people and probes.
    static func body(_ known: Known, isDraining: Bool) -> IPCValue {
        var servers: [IPCValue] = known.findings.map { finding in
            var members: [(String, IPCValue)] = [
                ("name", IPCValue(finding.name)), ("status", finding.problem == nil ? "ok" : "failed"),
                ("milliseconds", IPCValue(Int(finding.duration / 1_000_000))),
            ]
            if let problem = finding.problem { members.append(("reason", IPCValue(problem))) }
            return .members(members)
        }
        servers += known.unchecked.map { .members([("name", IPCValue($0)), ("status", "not checked")]) }
        let isReady = known.isGood && !isDraining
        return .members([
            ("status", isReady ? "ready" : "not ready"), ("draining", .bool(isDraining)),
            ("upstreams", .array(servers)),
        ])
    }
}
