// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc
internal import IPCSample

/// `ipc-gateway demo server`.
struct DemoServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the sample server, a local IPC server to put the gateway in front of.",
        discussion: """
            Channels: sample (echo, add, whoami; event onTick) and storage (get, set, drop; event onDidChange).

            Example: ipc-gateway demo server --unix /tmp/sample.sock
            """
    )

    @Option(help: "The path of its Unix socket.")
    var unix: String

    func run() throws {
        var signals = Signals([SIGTERM, SIGINT])
        let server: SampleServer
        do {
            server = try SampleServer(unix: unix)
        } catch {
            Console.complain("error: \(error)")
            throw ExitCode.unavailable
        }
        try server.start()
        Console.say("listening on \(unix); ctrl-C ends it")
        _ = signals.wait()
        server.stop()
    }
}
