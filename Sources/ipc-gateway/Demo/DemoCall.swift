// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol
internal import IPCSample
internal import TLSEngine

/// `ipc-gateway demo call`.
struct DemoCall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a command, through a gateway with a client certificate, or on a Unix socket.",
        discussion: """
            The result is printed as JSON. With --listen the events of a channel are printed instead.

            Examples:
              ipc-gateway demo call --to 127.0.0.1:7443 --cert alice.pem --key alice-key.pem --ca ca.pem sample whoami
              ipc-gateway demo call --unix /tmp/sample.sock sample add '[2,3]'
            """
    )

    @Option(help: "The gateway, an IPv4 address and port.")
    var to: String?

    @Option(help: "The path of a Unix socket, instead of a gateway.")
    var unix: String?

    @Option(help: "The client certificate, a PEM file.")
    var cert: String?

    @Option(help: "Its private key, a PEM file.")
    var key: String?

    @Option(help: "The certificate authority that the gateway's certificate must come from, a PEM file.")
    var ca: String?

    @Option(help: "The name that the gateway's certificate must have.")
    var serverName = "localhost"

    @Option(help: "The context to announce.")
    var context = "demo"

    @Option(help: "Listen, and end after this many events.")
    var listen: Int?

    @Argument(help: "The channel.")
    var channel: String

    @Argument(help: "The command, or with --listen the event.")
    var command: String

    @Argument(help: "The argument, as JSON; undefined when left out.")
    var argument: String?

    func validate() throws {
        guard (to == nil) != (unix == nil) else { throw ValidationError("Give either --to or --unix.") }
        guard to == nil || (cert != nil && key != nil && ca != nil) else {
            throw ValidationError("--to needs --cert, --key and --ca.")
        }
    }

    func run() throws {
        do {
            let client = SampleClientFactory(context: context)
            let connection =
                if let unix { try client.connect(unix: unix) } else {
                    try client.connect(to: to ?? "", tls(), serverName)
                }
            let argument = try argument.map(DemoJSON.parse) ?? .undefined
            if let listen {
                for payload in try connection.listen(IPCString(channel), IPCString(command), argument, count: listen) {
                    Console.say(DemoJSON.text(payload))
                }
            } else {
                Console.say(DemoJSON.text(try connection.call(IPCString(channel), IPCString(command), argument)))
            }
            connection.finish()
        } catch {
            Console.complain("error: \(error)")
            throw ExitCode.failure
        }
    }

    private func tls() -> TLSConfiguration {
        TLSConfiguration(
            role: .client,
            certificateChainFile: cert,
            privateKeyFile: key,
            trustAnchorsFile: ca,
            applicationProtocols: ["vscode-ipc"]
        )
    }
}
