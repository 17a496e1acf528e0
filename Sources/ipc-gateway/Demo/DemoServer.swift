// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPCTransport

/// `ipc-gateway demo server`.
struct DemoServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the sample server, a local IPC server to put the gateway in front of.",
        discussion: """
            Channels: sample (echo, add, whoami, sleep; event onTick) and storage (get, set, drop; event onDidChange).

            Example: ipc-gateway demo server --unix /tmp/sample.sock
            then:    ipc-gateway call --unix /tmp/sample.sock sample add '[2,3]'
            """
    )

    @Option(help: "The path of its Unix socket.")
    var unix: String

    @Flag(help: "Speak the persistent protocol, for clients with --persistent, in place of the plain one.")
    var persistent = false

    func run() throws {
        let (unix, persistent) = (unix, persistent)
        try CommandFailure.report {
            do {
                try Interruptible.run {
                    let server = try await Self.start(unix, persistent)
                    Console.say("listening on \(unix); ctrl-C ends it")
                    await Interruptible.waitForCancellation()
                    await server.stop()
                }
            } catch is Interrupted {
                // That is how it ends.
            }
        }
    }

    private static func start(_ path: String, _ isPersistent: Bool) async throws -> SampleServer {
        do {
            return try await SampleServer(unix: path, isPersistent: isPersistent)
        } catch let error as ListenError {
            throw CommandFailure(error.reason, .unavailable)
        }
    }
}
