// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayAdmin
internal import Glibc
internal import IPC
internal import IPCProtocol

/// `ipc-gateway status`.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how a running gateway is.",
        discussion: """
            Asks the gateway's endpoint for operators. --watch shows it anew every second, with rates, until ctrl-C. \
            What else the endpoint does (close sessions, reload, drain) docs/admin.md describes; curl is enough for it.

            Examples:
              ipc-gateway status --config /etc/ipc-gateway/gateway.yaml --watch
              ipc-gateway status --admin /run/ipc-gateway/admin.sock --json | jq .sessions
              curl --unix-socket /run/ipc-gateway/admin.sock -X POST http://localhost/reload
            """
    )

    @OptionGroup var gateway: AdminOptions

    @Flag(help: "Show it anew every second, until ctrl-C.")
    var watch = false

    @Flag(help: "Print what the gateway says, as JSON; with --watch one line a second.")
    var json = false

    func run() throws {
        let client = try gateway.client()
        try CommandFailure.report {
            guard watch else { return try show(try ask(client), before: nil) }
            try Interruptible.run { try repeatedly(client) }
        }
    }

    private func repeatedly(_ client: AdminClient) throws {
        var before: IPCValue?
        while !Task.isCancelled {
            do {
                let answer = try ask(client)
                try show(answer, before: before)
                before = answer.value
            } catch let failure as CommandFailure where before != nil {
                // A gateway that is started anew will be back.
                if !json {
                    try Console.write(Array((Self.home + "\(failure)\n").utf8))
                } else {
                    Console.complain("\(failure)")
                }
            }
            // Cancellation is looked for a few times in a second.
            for _ in 0..<10 where !Task.isCancelled { poll(nil, 0, 100) }
        }
    }

    private struct Answer {
        var bytes: [UInt8]
        var value: IPCValue
    }

    private func ask(_ client: AdminClient) throws -> Answer {
        do {
            let answer = try client.ask("GET", "/status")
            guard answer.status == 200, let value = try? JSONText.parse(answer.body.span, in: 0..<answer.body.count),
                value.object != nil
            else {
                throw CommandFailure("the gateway at \(client.path) answers with status \(answer.status)", .failure)
            }
            return Answer(bytes: answer.body, value: value)
        } catch let failure as AdminClient.Failure {
            throw CommandFailure(PrintableText.escaped("\(failure)"), .unavailable)
        }
    }

    /// To the corner of the terminal, and clear all below (ECMA-48: CUP, ED).
    private static let home = "\u{1b}[H\u{1b}[2J"

    private func show(_ answer: Answer, before: IPCValue?) throws {
        if json { return try Console.write(answer.bytes) }
        let lines = StatusTable(answer.value, before: before).lines.map { PrintableText.escaped($0) }
        let isLive = watch && isatty(STDOUT_FILENO) == 1
        try Console.write(Array(((isLive ? Self.home : "") + lines.joined(separator: "\n") + "\n").utf8))
    }
}
