// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `micro-bench`: what the parts without sockets cost, in figures that are the same at each run.
@main
struct MicroBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro-bench",
        abstract: "Count instructions and allocations of the gateway's parts, and hold them against thresholds.",
        discussion: """
            Instructions are counted by valgrind (callgrind), so that neither the machine nor its load matters. From the
            folder of the project:
              make micro
              Benchmarks/.build/release/micro-bench --only session-call
              Benchmarks/.build/release/micro-bench --update     # after a change that is meant to cost
            """,
        subcommands: [Compare.self, Count.self],
        defaultSubcommand: Compare.self
    )
}
