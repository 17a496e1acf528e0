// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOConcurrencyHelpers
import TLSEngine

/// What a connection of the tests runs over.
enum Road: CaseIterable, Sendable {
    case unix
    case tcp
    case tls
}

/// A listener that keeps what it accepts.
final class Harbour: Sendable {
    let directory: TemporaryDirectory
    let listener: IPCListener
    private let accepted: Accepted

    private final class Accepted: Sendable {
        let connections = NIOLockedValueBox<[PlainConnection]>([])
    }

    /// The connections that were accepted and not taken.
    var connections: [PlainConnection] { accepted.connections.withLockedValue { $0 } }

    var path: String { directory.file("s.sock") }
    var port: Int { listener.port ?? 0 }

    init(
        _ road: Road = .unix,
        options: TransportOptions = TransportOptions(),
        admission: IPCListener.Admission? = nil,
        tls: TLSConfiguration? = nil
    ) async throws {
        let directory = try TemporaryDirectory()
        let accepted = Accepted()
        let endpoint: ServerEndpoint =
            switch road {
            case .unix: .unix(directory.file("s.sock"))
            case .tcp: .tcp()
            case .tls:
                .tls(host: "127.0.0.1", configuration: try tls ?? TestAuthority.shared().serverConfiguration())
            }
        listener = try await IPCListener.open(endpoint, options: options, admission: admission) { connection in
            accepted.connections.withLockedValue { $0.append(connection) }
        }
        self.directory = directory
        self.accepted = accepted
    }

    /// Where a client connects to.
    func endpoint(_ road: Road, certificate: String = "alice", serverName: String? = nil) throws -> ClientEndpoint {
        switch road {
        case .unix: return .unix(path)
        case .tcp: return .tcp(port: port)
        case .tls:
            let authority = try TestAuthority.shared()
            let configuration = authority.clientConfiguration(try authority.client(certificate))
            return .tls(host: "127.0.0.1", port: port, configuration: configuration, serverName: serverName)
        }
    }

    /// Waits for the next connection, and takes it.
    func accept() async throws -> PlainConnection {
        try await eventually("a connection is accepted") { !connections.isEmpty }
        return accepted.connections.withLockedValue { $0.removeFirst() }
    }
}

/// Two ends of one connection, both started.
struct ConnectedPair {
    let harbour: Harbour
    let client: PlainConnection
    let server: PlainConnection
    let clientReceiver: RecordingReceiver
    let serverReceiver: RecordingReceiver

    init(
        _ road: Road = .unix,
        options: TransportOptions = TransportOptions(),
        serverOptions: TransportOptions? = nil,
        serverAction: @escaping @Sendable (PlainConnection, [UInt8]) -> Void = { _, _ in }
    ) async throws {
        harbour = try await Harbour(road, options: serverOptions ?? options)
        client = try await PlainConnection.connect(to: try harbour.endpoint(road), options: options)
        clientReceiver = RecordingReceiver()
        client.start(delivering: clientReceiver)
        let server = try await harbour.accept()
        self.server = server
        // The receiver is let go when the connection ends, and with it this reference.
        serverReceiver = RecordingReceiver { [weak server] message in
            if let server { serverAction(server, message) }
        }
        server.start(delivering: serverReceiver)
    }

    /// Closes both ends and waits until that has happened.
    func close() async throws {
        client.close(.disposed)
        server.close(.disposed)
        await harbour.listener.close()
        try await eventually("both ends are told") { clientReceiver.end != nil && serverReceiver.end != nil }
    }
}
