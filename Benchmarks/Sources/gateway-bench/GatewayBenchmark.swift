// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `gateway-bench`: what the gateway costs, and how it shares.
@main
struct GatewayBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway-bench",
        abstract: "Measure what rules and the audit log cost the gateway, and how fair it is to its clients.",
        discussion: """
            Starts the gateway, a server behind it and clients in front, all on this machine, each with certificates
            of the moment. docs/performance.md says what the figures mean. From the folder of the project:
              make benchmark-gateway
              Benchmarks/.build/release/gateway-bench --only fairness --markdown fairness.md
            """,
        subcommands: [Measure.self, Compare.self, Allocations.self, Serve.self, Greedy.self],
        defaultSubcommand: Measure.self
    )
}
