// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `ipc-gateway demo`.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See the gateway at work: a sample server, real certificates, real calls.",
        discussion: """
            Without a subcommand everything happens in one go, with files in a folder of its own (.demo). The \
            sample server is there alone too, to be called by hand.
            """,
        subcommands: [DemoAll.self, DemoServer.self],
        defaultSubcommand: DemoAll.self
    )
}
