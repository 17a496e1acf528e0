// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `soak`: the gateway under load while everything around it fails.
@main
struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract:
            "Run the gateway under load while connections, servers, files and memory fail, and check every answer.",
        discussion: """
            Prints a table in Markdown. When something does not hold it says what, when and with which seed, and exits
            with 1. Ctrl-C ends it early, with everything checked. docs/performance/faults.md says what is checked.
            From the folder of the project:
              make soak SOAK=600
              .build-benchmarks/debug/soak --seconds 60 --seed 7 --gateway .build/release/ipc-gateway
            """,
        subcommands: [Run.self, Serve.self],
        defaultSubcommand: Run.self
    )
}
