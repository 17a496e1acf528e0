// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import GatewayRuntime
internal import Glibc
internal import IPCTransport
internal import Logging

/// `ipc-gateway demo` without a subcommand.
struct DemoAll: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Everything in one go: a development CA, a sample server, the gateway, calls, refusals."
    )

    @Option(help: "The folder for certificates, configuration and socket.")
    var directory = ".demo"

    @Option(help: "The port to listen on, on 127.0.0.1; another one is taken when it is not free.")
    var port: UInt16 = 7443

    @Option(help: "The script that makes certificates; found by itself in a source folder.")
    var caScript: String?

    @Flag(help: "Keep server and gateway running until ctrl-C.")
    var keep = false

    func run() throws {
        let demo = self
        try CommandFailure.report {
            do {
                try makeCertificates()
                try Interruptible.run { try await demo.demonstrate() }
            } catch is Interrupted where keep {
                // That is how it ends.
            } catch let error as ConfigurationError {
                throw CommandFailure("\(error)", .configuration)
            } catch let error as ListenError {
                throw CommandFailure(error.reason, .unavailable)
            } catch let error where !(error is CommandFailure || error is Interrupted) {
                throw CommandFailure("\(error)", .failure)
            }
        }
    }

    private func demonstrate() async throws {
        let server = try await SampleServer(unix: "\(directory)/sample.sock")
        Console.say("2. A local server, which knows nothing of TLS: \(directory)/sample.sock")
        do {
            try await demonstrateGateway()
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func demonstrateGateway() async throws {
        let logger = Logger(label: "ipc-gateway") { _ in LineLogHandler(format: .text, level: .error) }
        let (gateway, address) = try startGateway(logger)
        defer {
            gateway.requestDrain()
            gateway.wait()
        }
        Console.say("3. The gateway in front of it: \(directory)/gateway.yaml, listening on \(address)")
        Console.say("4. Calls through the gateway:")
        try await DemoScript(directory: directory, address: address).run()
        Console.say("")
        Console.say(nextSteps(address))
        if keep {
            Console.say("\nServer and gateway are running; ctrl-C ends them.")
            await Interruptible.waitForCancellation()
        }
    }

    private func makeCertificates() throws {
        let authority = DevelopmentAuthority(
            script: try DevelopmentAuthority.findScript(caScript),
            folder: directory
        )
        try authority.make("ca", ["init"])
        try authority.make("server", ["server", "server", "--dns", "localhost", "--ip", "127.0.0.1"])
        try authority.make("alice", ["client", "alice", "--uri", "spiffe://example.org/dev/alice"])
        try authority.make("ops", ["client", "ops", "--cn", "ops"])
        try authority.make("mallory", ["client", "mallory", "--uri", "spiffe://example.org/intern/mallory"])
        Console.say("1. A development CA and certificates for server, alice, ops and mallory: \(directory)/*.pem")
    }

    private func startGateway(_ logger: Logger) throws -> (Gateway, ListenerAddress) {
        let gateway: Gateway
        do {
            gateway = try Gateway(try snapshot(port: port), logger: logger)
        } catch is GatewayStartError {
            gateway = try Gateway(try snapshot(port: 0), logger: logger)
        }
        gateway.announce()
        guard let address = gateway.addresses.first else {
            throw CommandFailure("the gateway listens nowhere", .failure)
        }
        // So that the file can be used as it is, whoever chose the port.
        if address.port != port { _ = try snapshot(port: address.port) }
        return (gateway, address)
    }

    private func snapshot(port: UInt16) throws -> GatewaySnapshot {
        let file = "\(directory)/gateway.yaml"
        let yaml = Self.gatewayYAML(port)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("\(file): \(String(cString: strerror(errno)))", .failure) }
        defer { close(descriptor) }
        let count = Array(yaml.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == yaml.utf8.count else {
            throw CommandFailure("\(file): \(String(cString: strerror(errno)))", .failure)
        }
        return try GatewaySnapshot(try GatewayConfiguration(yaml: yaml, file: file))
    }

    private static func gatewayYAML(_ port: UInt16) -> String {
        """
        # Written by 'ipc-gateway demo'. Paths are relative to this file. All keys: docs/configuration.md
        listeners:
          - address: 127.0.0.1:\(port)
            tls: { certificate: server.pem, key: server-key.pem, clientCA: ca.pem }

        upstreams:
          sample: { unix: sample.sock }

        identity:
          from: [uri, commonName]

        # Who may connect, as whom, and what they may do. Everything else is refused.
        clients:
          - match: { uri: "spiffe://example.org/dev/*" }
            context: "remote:{uri.lastComponent}"      # the server sees remote:alice, whatever alice announces
            allow:
              - { channel: sample, call: ["*"], listen: ["*"] }
              - { channel: storage, call: [get, set] }
          - match: { commonName: ops }
            context: { announced: ["ops:*"] }          # chosen by the client among these
            allow:
              - { channel: "*", call: ["*"], listen: ["*"] }

        """
    }

    private func nextSteps(_ address: ListenerAddress) -> String {
        """
        What to try next, in two terminals (or once, with 'ipc-gateway demo --keep'):
          ipc-gateway demo server --unix \(directory)/sample.sock
          ipc-gateway run --config \(directory)/gateway.yaml
        then
          tls="--host \(address) --cert \(directory)/alice.pem --key \(directory)/alice-key.pem --ca \(directory)/ca.pem"
          ipc-gateway call $tls sample add '[2,3]'
          ipc-gateway call $tls storage drop; echo $?
          ipc-gateway listen $tls --count 5 sample onTick
          ipc-gateway listen $tls --persistent sample onTick        # stop and start the network: nothing is lost
          ipc-gateway connect --to \(address) --listen \(directory)/tunnel.sock --cert \(directory)/alice.pem \\
            --key \(directory)/alice-key.pem --ca \(directory)/ca.pem  # for programs that only know Unix sockets
          ipc-gateway call --unix \(directory)/sample.sock sample whoami
          ipc-gateway trace --unix \(directory)/sample.sock --listen \(directory)/tap.sock
          ipc-gateway certs inspect \(directory)/alice.pem
          ipc-gateway explain --config \(directory)/gateway.yaml --certificate \(directory)/alice.pem --call storage.drop
          ipc-gateway check --config \(directory)/gateway.yaml
        Change who may do what in \(directory)/gateway.yaml; docs/configuration.md describes it.
        The program is .build/debug/ipc-gateway, or .build/release/ipc-gateway after 'make release'.
        """
    }
}
