// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization

/// The whole way: a program, the tunnel, a bad network, the gateway, and a server that notes what arrives.
final class WholeWay: Sendable {
    /// What the server has seen.
    struct Seen: Sendable {
        /// How many times each call was made.
        var calls: [Int32: Int] = [:]
        /// The numbers that came as events of the client.
        var events: [Int32] = []
    }

    /// `real.echo([number, anything])` is noted, and gives back what it got; `real.onNumber` fires what `fire` says.
    final class RealChannel: ServerChannel {
        let seen = Mutex(Seen())
        let numbers = EventEmitter<IPCValue>()

        func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
            guard case .int(let number)? = argument.array?.first else { throw RemoteError.methodNotFound(command) }
            seen.withLock { $0.calls[number, default: 0] += 1 }
            return argument
        }

        func listen(_ context: String, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
            numbers.event
        }
    }

    let directory: TemporaryDirectory
    let channel = RealChannel()
    let server = IPCServer<String>()
    let listener: IPCListener
    private let authority: TestAuthority
    private let configurationFile: String

    /// Where the server listens, and where the tunnel does.
    var socket: String { directory.file("server.sock") }
    var tunnelSocket: String { directory.file("tunnel.sock") }

    init(address: String = "127.0.0.1:0") async throws {
        directory = try TemporaryDirectory()
        authority = try TestAuthority.shared()
        server.registerChannel("real", channel)
        listener = try await server.serve(.unix(directory.file("server.sock")))
        var configuration = GatewayConfigurationText(
            certificate: try authority.server(ips: ["127.0.0.1", "::1", NetworkPair.Side.left.address]),
            clientCA: authority.caFile,
            upstreams: [.init(path: directory.file("server.sock"))]
        )
        configuration.address = address
        configurationFile = try directory.write(configuration.yaml, to: "gateway.yaml")
    }

    deinit {
        server.dispose()
        let listener = listener
        Task { await listener.close() }
    }

    /// Starts the gateway.
    func startGateway(_ launcher: [String] = []) throws -> GatewayProcess {
        try GatewayProcess(configurationFile: configurationFile, logLevel: "info", launcher: launcher)
    }

    /// Starts the tunnel and waits until it listens and has tried the gateway out.
    func startTunnel(to: String, _ launcher: (([String]) -> [String])? = nil) async throws -> ChildProcess {
        let files = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"])
        let words = [
            try GatewayProcess.program(), "connect", "--to", to, "--listen", tunnelSocket, "--cert", files.certificate,
            "--key", files.key, "--ca", authority.caFile, "--log-format", "text",
        ]
        let child = try ChildProcess(launcher?(words) ?? words)
        try await eventually("the tunnel has begun: \(child.errors)") {
            child.errors.contains("the gateway lets us in") || child.errors.contains("does not let us in now")
        }
        return child
    }

    /// A program at the tunnel.
    func connect() async throws -> IPCClient<String> {
        let client = try await IPCClient.connect(to: .unix(tunnelSocket), context: "announced")
        try await client.waitUntilReady()
        return client
    }
}
