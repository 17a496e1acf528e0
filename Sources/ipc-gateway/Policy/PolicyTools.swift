// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `ipc-gateway policy`.
struct PolicyTools: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Test rules, and learn them from an audit log.",
        discussion: "See also: ipc-gateway explain --help, and docs/policy.md.",
        subcommands: [PolicyTest.self, PolicyLearn.self]
    )
}
