// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `ipc-bench`: what the library costs.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipc-bench",
        abstract: "Measure what calls over a Unix socket cost, client and server in two processes.",
        discussion: """
            CPU time is what counts: clocks of shared machines lie. Run it in release:
              swift run -c release --package-path Benchmarks ipc-bench
            """,
        subcommands: [Calls.self, Serve.self],
        defaultSubcommand: Calls.self
    )
}
