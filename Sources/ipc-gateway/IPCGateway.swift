// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import TLSEngine

/// The command line.
@main
struct IPCGateway: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipc-gateway",
        abstract: "Puts local IPC servers on the network, behind mutual TLS.",
        discussion: """
            Clients prove who they are with a certificate. The gateway turns it into their IPC context, checks every \
            call and listen against what they may do, and passes what is allowed to a local server's Unix socket.

            Try it:         ipc-gateway demo
            Check a file:   ipc-gateway check --config gateway.yaml
            Run it:         ipc-gateway run --config gateway.yaml
            See how it is:  ipc-gateway status --config gateway.yaml --watch
            Ask it:         ipc-gateway explain --config gateway.yaml --certificate alice.pem --call storage.get
            Call a server:  ipc-gateway call --unix main.sock sample add '[2,3]'
            From elsewhere: ipc-gateway connect --to HOST:7443 --listen app.sock --cert … --key … --ca ca.pem
            See it talk:    ipc-gateway trace --unix main.sock --listen tap.sock

            Exit codes: 0 success, 1 failure, 64 wrong usage, 69 an address cannot be listened on or connected to, \
            78 the configuration is wrong; call and listen have more.
            """,
        version: "ipc-gateway \(Version.text) (\(TLSContext.libraryVersion))",
        subcommands: [
            Run.self, Connect.self, Check.self, Call.self, Listen.self, Trace.self, Demo.self, Certs.self, Explain.self,
            PolicyTools.self, Status.self, Health.self,
        ]
    )
    static func main() {
        TLSLibrary.staysUntilTheEnd()
        main(nil)
    }
}
