// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import TLSEngine
import Testing

@Suite("Servers and clients over sockets")
struct ServerAndClientTests {
    private struct Echo: ServerChannel {
        func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
            [.string(IPCString(context)), .string(command), argument]
        }
    }

    @Test("find each other and talk, over Unix sockets, TCP and TLS", arguments: Road.allCases)
    func calls(road: Road) async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        let path = directory.file("s.sock")
        let server = IPCServer<String>()
        server.registerChannel("echo", Echo())
        let listener: IPCListener
        let endpoint: ClientEndpoint
        switch road {
        case .unix:
            listener = try await server.serve(.unix(path))
            endpoint = .unix(path)
        case .tcp:
            listener = try await server.serve(.tcp())
            endpoint = .tcp(port: try #require(listener.port))
        case .tls:
            let configuration = try authority.serverConfiguration()
            listener = try await server.serve(.tls(host: "127.0.0.1", configuration: configuration))
            endpoint = .tls(
                host: "localhost",
                port: try #require(listener.port),
                configuration: authority.clientConfiguration(try authority.client("alice"))
            )
        }
        let client = try await IPCClient.connect(to: endpoint, context: "window:1")
        try await client.waitUntilReady()
        let channel = client.channel("echo")
        let expected: IPCValue = ["window:1", "say", 42]
        #expect(try await channel.call("say", 42) == expected)
        let answers = try await withThrowingTaskGroup(of: IPCValue.self) { group in
            for number in 0..<500 { group.addTask { try await channel.call("say", IPCValue(number)) } }
            return try await group.reduce(into: Set<IPCValue>()) { $0.insert($1) }
        }
        #expect(answers.count == 500)
        await listener.close()
        server.dispose()
        await #expect(throws: ConnectionEnd.self) { try await channel.call("say", 43) }
        client.dispose()
    }

    @Test("end with the gateway's last word when they are refused")
    func refusal() async throws {
        let directory = try TemporaryDirectory()
        let server = IPCServer<String>()
        let listener = try await server.serve(.unix(directory.file("s.sock"))) { _ in
            throw ConnectionEnd(.refused, "not today")
        }
        let client = try await IPCClient.connect(to: .unix(directory.file("s.sock")), context: "window:1")
        let error = await #expect(throws: ConnectionEnd.self) { try await client.waitUntilReady() }
        #expect(error == ConnectionEnd(.refused, "not today (not-allowed)"))
        await listener.close()
    }
}
