// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol

/// How long a polite client waits for its answers, alone and beside a greedy one, on the same thread of the gateway.
struct Fairness {
    let stage: Stage
    let rounds: Int
    let seconds: Double

    /// What the polite client is beside.
    private struct Neighbour {
        var title: String
        /// The name in its certificate; nil when there is nobody.
        var name: String?
        /// Its limits.
        var limits = ""
    }

    private static let neighbours = [
        Neighbour(title: "nobody"),
        Neighbour(title: "greedy, `callsOutstanding: 16`", name: "greedy-open", limits: "callsOutstanding: 16"),
        Neighbour(title: "greedy, `callsPerSecond: 1000`", name: "greedy-rate", limits: "callsPerSecond: 1000"),
        Neighbour(title: "greedy, below every limit", name: "greedy-free"),
    ]

    private struct Findings {
        var latencies: [Double] = []
        /// The gateway's share of its processor.
        var usage: [Double] = []
        var passed: [Double] = []
        var refused: [Double] = []
    }

    func measure() throws -> Table {
        let entries = Self.neighbours.compactMap { neighbour in
            neighbour.name.map { Rules.everything(for: $0, members: ", limits: { \(neighbour.limits) }") }
        }
        let gateway = try stage.startGateway("fairness", clients: [Rules.everything(for: "polite")] + entries)
        let polite = try BlockingClient(stage.connect(to: gateway, as: "polite"), context: "polite")
        var findings = [Findings](repeating: Findings(), count: Self.neighbours.count)
        for round in 0..<rounds {
            note("fairness: round \(round + 1) of \(rounds)")
            for turn in Self.neighbours.indices {
                let index = (round + turn) % Self.neighbours.count
                try measure(Self.neighbours[index], gateway, polite, &findings[index])
            }
        }
        return table(findings)
    }

    private func measure(
        _ neighbour: Neighbour,
        _ gateway: GatewayProcess,
        _ polite: BlockingClient,
        _ findings: inout Findings
    ) throws {
        let closings = gateway.closings.count
        let greedy = try neighbour.name.map { try startGreedy($0, gateway) }
        // Until it has connected and is at its limit.
        letTimePass(milliseconds: 500)
        let clock = ContinuousClock()
        let start = clock.now
        let before = try ProcessorClock.time(of: gateway.child.pid)
        while clock.now - start < .seconds(seconds) {
            letTimePass(milliseconds: 3)
            let sent = clock.now
            let answer = try polite.call(IPCString(Rules.channel(0)), IPCString(Rules.command(0)), Rules.argument)
            findings.latencies.append((clock.now - sent) / .milliseconds(1))
            guard answer == Rules.argument else { throw TestSupportError("the answer is \(answer)") }
        }
        let used = try ProcessorClock.time(of: gateway.child.pid) - before
        findings.usage.append(used / ((clock.now - start) / .seconds(1)))
        guard let greedy else { return }
        guard greedy.status == nil else { throw TestSupportError("the greedy client has ended: \(greedy.errors)") }
        greedy.signal(SIGKILL)
        let line = try gateway.waitForClosings(closings + 1)
        let figures = ["framesIn", "denied", "milliseconds"].map { line[$0].flatMap(Double.init) ?? 0 }
        findings.passed.append(figures[0] * 1_000 / figures[2])
        findings.refused.append(figures[1] * 1_000 / figures[2])
    }

    private func startGreedy(_ name: String, _ gateway: GatewayProcess) throws -> ChildProcess {
        let files = try stage.authority.client(name)
        // At the lowest priority: what it uses of the processor it shares with the polite client is not the question.
        let words = ["nice", "-n", "19", "/proc/\(getpid())/exe", "greedy", "--port", "\(gateway.port)"]
        return try ChildProcess(
            words + ["--certificate", files.certificate, "--key", files.key, "--ca", stage.authority.caFile]
        )
    }

    private func table(_ findings: [Findings]) -> Table {
        var table = Table(
            title: "Fairness: latency of a client that makes one call at a time, in ms",
            header: [
                "beside", "p50", "p99", "max", "p99, more than alone", "greedy calls/s: passed", "refused",
                "gateway's CPU",
            ]
        )
        let alone = Spread(findings[0].latencies).percentile(0.99)
        for (neighbour, findings) in zip(Self.neighbours, findings) {
            let latency = Spread(findings.latencies)
            let p99 = latency.percentile(0.99)
            var cells = [neighbour.title] + [latency.median, p99, latency.maximum].map { String(format: "%.2f", $0) }
            if neighbour.name == nil {
                cells += ["", "", ""]
            } else {
                cells.append(String(format: "%.2f", p99 - alone))
                cells += [findings.passed, findings.refused].map { String(format: "%.0f", Spread($0).median) }
            }
            table.rows.append(cells + [String(format: "%.0f %%", 100 * Spread(findings.usage).median)])
        }
        table.notes = "\(findings[0].latencies.count) calls in each row, or as many as fit into the same time."
        return table
    }
}
