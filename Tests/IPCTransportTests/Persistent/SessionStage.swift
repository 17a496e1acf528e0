// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import NIOConcurrencyHelpers
import TLSEngine

@testable import IPCTransport

/// A server that hosts sessions, a relay before it, and what tests want to know of both.
final class SessionStage: Sendable {
    let server = IPCServer<String>()
    let listener: IPCListener
    let relay: CuttingRelay
    let road: Road
    let emitter = EventEmitter<IPCValue>()

    private final class Sample: ServerChannel {
        let emitter: EventEmitter<IPCValue>
        let calls: NIOLockedValueBox<[Int32: Int]>

        init(_ emitter: EventEmitter<IPCValue>, _ calls: NIOLockedValueBox<[Int32: Int]>) {
            self.emitter = emitter
            self.calls = calls
        }

        func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
            if case .int(let number) = argument { calls.withLockedValue { $0[number, default: 0] += 1 } }
            return argument
        }

        func listen(_ context: String, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
            emitter.event
        }
    }

    /// How often the server was asked for each number.
    let calls = NIOLockedValueBox<[Int32: Int]>([:])

    init(
        _ road: Road = .tcp,
        hosting: SessionHosting = SessionHosting(),
        admission: (@Sendable (ConnectingPeer) throws -> Void)? = nil
    ) async throws {
        self.road = road
        let endpoint: ServerEndpoint =
            switch road {
            case .tls: .tls(host: "127.0.0.1", configuration: try TestAuthority.shared().serverConfiguration())
            default: .tcp()
            }
        server.registerChannel("sample", Sample(emitter, calls))
        listener = try await server.serve(endpoint, sessions: hosting, admission: admission)
        relay = try await CuttingRelay(to: listener.port ?? 0)
    }

    /// Where a client connects to: the relay.
    func endpoint(certificate: String = "alice") throws -> ClientEndpoint {
        switch road {
        case .tls:
            let authority = try TestAuthority.shared()
            let configuration = authority.clientConfiguration(try authority.client(certificate))
            return .tls(host: "127.0.0.1", port: relay.port, configuration: configuration)
        default: return .tcp(port: relay.port)
        }
    }

    /// A client that dials again at once, always.
    func connect(
        options: ReconnectionOptions = SessionStage.impatient,
        context: String = "window:1"
    ) async throws -> (client: IPCClient<String>, connection: PersistentConnection) {
        let made = try await IPCClient.connectPersistently(to: [endpoint()], context: context, reconnection: options)
        try await made.client.waitUntilReady()
        return made
    }

    static var impatient: ReconnectionOptions {
        ReconnectionOptions(backOff: BackOff(first: .milliseconds(1), longest: .milliseconds(20)))
    }

    func close() async {
        await listener.close()
        await relay.close()
        server.dispose()
    }
}

/// What a connection said about itself.
final class StateLog: Sendable {
    private let log = NIOLockedValueBox<(states: [PersistentConnection.State], isOver: Bool)>(([], false))

    init(_ connection: PersistentConnection) {
        let states = connection.states
        let log = log
        Task {
            for await state in states { log.withLockedValue { $0.states.append(state) } }
            log.withLockedValue { $0.isOver = true }
        }
    }

    var states: [PersistentConnection.State] { log.withLockedValue { $0.states } }
    var isOver: Bool { log.withLockedValue { $0.isOver } }
    var failure: ConnectionEnd? {
        guard case .failed(let end) = states.last else { return nil }
        return end
    }
}
