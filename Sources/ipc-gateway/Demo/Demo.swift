// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `ipc-gateway demo`.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See the gateway at work: a sample server, real certificates, real calls.",
        discussion: """
            Without a subcommand everything happens in one go, with files in a folder of its own (.demo). The \
            subcommands are the parts, to try by hand.
            """,
        subcommands: [DemoAll.self, DemoServer.self, DemoCall.self],
        defaultSubcommand: DemoAll.self
    )
}
