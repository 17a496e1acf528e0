// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization
import Testing

/// Who listens, and what messages travel over.
struct Setting: Sendable, CustomTestStringConvertible {
    enum Side: String, CaseIterable {
        case swift = "Swift serves"
        case node = "Node serves"
    }

    enum Carrier: String, CaseIterable {
        case unix = "Unix socket"
        case tls = "TLS"
    }

    var server: Side
    var carrier: Carrier

    static let all = Side.allCases.flatMap { side in
        Carrier.allCases.map { Setting(server: side, carrier: $0) }
    }

    var testDescription: String { "\(server.rawValue), \(carrier.rawValue)" }
}

/// A connection between Swift and Node. Each end offers channels, so that most tests go both ways whoever listens.
final class Bench: Sendable {
    let node: NodePeer
    /// The channel `swift`.
    let subject: SwiftSubject
    /// Where Swift serves.
    let server: IPCServer<IPCValue>?
    /// Where Node serves.
    let client: IPCClient<IPCValue>?
    /// This end of the connection.
    let connection: Connection<IPCValue>

    private init(
        _ node: NodePeer,
        _ subject: SwiftSubject,
        _ connection: Connection<IPCValue>,
        server: IPCServer<IPCValue>? = nil,
        client: IPCClient<IPCValue>? = nil
    ) {
        self.node = node
        self.subject = subject
        self.connection = connection
        self.server = server
        self.client = client
        subject.reverse.withLock { reverse in
            reverse = { [weak connection] _, channel, command, argument in
                guard let connection else { throw ConnectionEnd.disposed }
                return try await connection.channel(channel).call(command, argument)
            }
        }
    }

    /// A channel of Node.
    func channel(_ name: IPCString = "node") -> any Channel {
        connection.channel(name)
    }

    /// Offers a channel to Node.
    func register(_ name: IPCString, _ channel: some ServerChannel<IPCValue>) {
        if let server { server.registerChannel(name, channel) } else { connection.registerChannel(name, channel) }
    }

    /// Ends the connection in order, at this end.
    func dispose() {
        if let server { server.dispose() } else { connection.dispose() }
    }

    /// Connects the two, lets something happen, and ends it all.
    static func run(
        _ setting: Setting,
        context: IPCValue = "window:1",
        options: ConnectionOptions = ConnectionOptions(),
        weight: Turn.Weight = .light,
        _ body: (Bench) async throws -> Void
    ) async throws {
        try await Turn.run(weight) { try await run(setting, context, options, body) }
    }

    private static func run(
        _ setting: Setting,
        _ context: IPCValue,
        _ options: ConnectionOptions,
        _ body: (Bench) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let place = try Place(setting.carrier, directory)
        let subject = SwiftSubject()
        let timeout = IPCValue(Int(options.unknownChannelTimeout / .milliseconds(1)))
        switch setting.server {
        case .swift:
            let server = IPCServer<IPCValue>(options: options)
            server.registerChannel("swift", subject)
            let listener = try await server.serve(try place.serverEndpoint())
            let outcome: Result<Void, any Error>
            do {
                let address = place.forNodeClient(port: listener.port)
                let node = try NodePeer("client.mjs", [address, context.described, timeout])
                _ = try await node.waitUntilReady()
                try await eventually("Node has said who it is") { !server.connections.isEmpty }
                let connection = try #require(server.connections.first)
                outcome = .success(try await body(Bench(node, subject, connection, server: server)))
            } catch {
                outcome = .failure(error)
            }
            await listener.close()
            server.dispose()
            try outcome.get()
        case .node:
            let node = try NodePeer("server.mjs", [place.forNodeServer, timeout])
            let greeting = try await node.waitUntilReady()
            let endpoint = place.clientEndpoint(port: greeting["port"]?.double)
            let client = try await IPCClient.connect(to: endpoint, context: context, options: options)
            client.registerChannel("swift", subject)
            try await client.waitUntilReady()
            try await body(Bench(node, subject, client.connection, client: client))
            client.dispose()
        }
    }
}

/// Where the two meet, and the certificates for it.
struct Place {
    private let path: String
    private let authority: TestAuthority?
    private let serverFiles: CertificateFiles?
    private let clientFiles: CertificateFiles?

    init(_ carrier: Setting.Carrier, _ directory: TemporaryDirectory, clientHasCertificate: Bool = true) throws {
        path = directory.file("interop.sock")
        switch carrier {
        case .unix:
            (authority, serverFiles, clientFiles) = (nil, nil, nil)
        case .tls:
            let authority = try TestAuthority.shared()
            self.authority = authority
            serverFiles = try authority.server()
            clientFiles = clientHasCertificate ? try authority.client("interop") : nil
        }
    }

    func serverEndpoint() throws -> ServerEndpoint {
        guard let authority else { return .unix(path) }
        return .tls(host: "127.0.0.1", configuration: try authority.serverConfiguration(serverFiles))
    }

    func clientEndpoint(port: Double?) -> ClientEndpoint {
        guard let authority else { return .unix(path) }
        let configuration = authority.clientConfiguration(clientFiles)
        return .tls(host: "127.0.0.1", port: Int(port ?? 0), configuration: configuration, serverName: "localhost")
    }

    var forNodeServer: IPCValue { forNode(serverFiles) }

    func forNodeClient(port: Int?) -> IPCValue { forNode(clientFiles, port: port) }

    private func forNode(_ files: CertificateFiles?, port: Int? = nil) -> IPCValue {
        guard let authority else { return ["unix": IPCValue(path)] }
        return [
            "port": port.map { IPCValue($0) } ?? .undefined, "ca": IPCValue(authority.caFile),
            "cert": files.map { IPCValue($0.certificate) } ?? .undefined,
            "key": files.map { IPCValue($0.key) } ?? .undefined,
        ]
    }
}
