// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import Logging

/// `ipc-gateway connect`.
struct Connect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be the gateway's socket on this machine: a tunnel for programs that only know Unix sockets.",
        discussion: """
            Each program that connects to the socket of --listen gets a session of its own at the gateway, over TLS, with \
            the certificate of --cert. When the network drops, the session waits and goes on where it was: the program \
            notices a pause at most. Only programs of the same user, and of root, are let in.

            Examples:
              ipc-gateway connect --to gateway.example.org:7443 --listen /run/user/1000/app.sock --cert alice.pem \
            --key alice-key.pem --ca ca.pem
              ipc-gateway connect --to one.example.org,two.example.org:7444 --config tunnel.yaml
              ipc-gateway call --unix /run/user/1000/app.sock sample whoami

            tunnel.yaml, whose paths are relative to it; each option overrides its key:
              to: ["one.example.org:7443", "two.example.org:7443"]
              listen: /run/user/1000/app.sock
              cert: alice.pem
              key: alice-key.pem
              ca: ca.pem

            Certificates and keys are read anew for each connection, and at SIGHUP; when they cannot be used, those that \
            were read before still are. ctrl-C or SIGTERM ends it in order, a second one at once.

            Exit codes: 0 after ctrl-C; 64 wrong usage; 69 --listen is not possible; 78 the configuration, a certificate \
            or a key is wrong. A gateway that is away, or refuses, ends nothing but the clients' connections.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Where the gateway is; several addresses are tried in turn. The port is 7443 unless given.",
            valueName: "host[:port],…"
        )
    )
    var to: AddressList?

    @Option(
        help: ArgumentHelp("The Unix socket for local programs; it is made, for this user only.", valueName: "path")
    )
    var listen: String?

    @Option(help: ArgumentHelp("The client's certificate, with its intermediates; PEM.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("The private key of --cert; PEM.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Holds the passphrase of --key, if that is encrypted.", valueName: "file"))
    var keyPassphraseFile: String?

    @Option(
        help: ArgumentHelp("The authorities that the gateway's certificate must come from; PEM.", valueName: "file")
    )
    var ca: String?

    @Option(help: ArgumentHelp("Whom the gateway's certificate must be for. (default: the host)", valueName: "name"))
    var serverName: String?

    @Option(help: ArgumentHelp("How many local programs there may be at once. (default: 256)", valueName: "number"))
    var maxClients: Int?

    @Option(name: [.short, .long], help: ArgumentHelp("A file that says the same in YAML.", valueName: "file"))
    var config: String?

    @OptionGroup var log: LogOptions

    mutating func validate() throws {
        let counts = TunnelConfiguration.clientCounts
        if let maxClients, !counts.contains(maxClients) {
            throw ValidationError("--max-clients takes a number from \(counts.lowerBound) to \(counts.upperBound).")
        }
    }

    func run() throws {
        _ = StandardDescriptors.reserve()
        let configuration = try readConfiguration()
        let line = Console.isTerminal ? StatusLine() : nil
        try CommandFailure.report {
            // Before an error is complained of.
            defer { line?.remove() }
            let settings = try ConnectSettings(configuration)
            try ConnectWork(settings, logger: log.makeLogger(above: line), line: line).run()
        }
    }

    private func readConfiguration() throws -> TunnelConfiguration {
        var tunnel = TunnelConfiguration()
        if let config {
            tunnel = try ConfigurationFile.read(config, as: "docs/command-line.md#connect") {
                try TunnelConfiguration(yaml: $0, file: config)
            }
        }
        tunnel.to = to?.addresses ?? tunnel.to
        tunnel.listen = listen ?? tunnel.listen
        if cert != nil || key != nil {
            // A pair, and the passphrase is for this key.
            (tunnel.cert, tunnel.key, tunnel.passphraseFile) = (cert ?? tunnel.cert, key ?? tunnel.key, nil)
        }
        tunnel.passphraseFile = keyPassphraseFile ?? tunnel.passphraseFile
        tunnel.ca = ca ?? tunnel.ca
        tunnel.serverName = serverName ?? tunnel.serverName
        tunnel.maxClients = maxClients ?? tunnel.maxClients
        return tunnel
    }
}
