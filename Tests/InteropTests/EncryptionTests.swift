// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization
import TLSEngine
import Testing

extension InteropTests {
    @Suite("TLS")
    struct Encryption {
        @Test(
            "A server in Swift knows the certificate of a client in Node, and may refuse it",
            arguments: [true, false]
        )
        func admission(_ isWanted: Bool) async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(.tls, directory)
                let server = IPCServer<String>()
                let names = Mutex<[[String]?]>([])
                let listener = try await server.serve(try place.serverEndpoint()) { connection in
                    names.withLock { $0.append(connection.peerCertificate?.commonNames) }
                    if !isWanted { throw ConnectionEnd(.refused, "not you") }
                }
                let node = try NodePeer(
                    "client.mjs",
                    [place.forNodeClient(port: listener.port), IPCValue("me").described]
                )
                #expect(try await node.waitUntilReady()["protocol"] == "vscode-ipc")
                if isWanted {
                    #expect(
                        try await server.channel("node", router: StaticRouter { $0 == "me" }).call("whoami") == "me"
                    )
                } else {
                    try await node.ask("closed")
                    #expect(server.connections.isEmpty)
                }
                #expect(names.withLock { $0 } == [["interop"]])
                await listener.close()
                server.dispose()
            }
        }

        @Test("A client in Node without a certificate is turned away")
        func strangerInNode() async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(.tls, directory, clientHasCertificate: false)
                let server = IPCServer<String>()
                let listener = try await server.serve(try place.serverEndpoint())
                let node = try NodePeer(
                    "client.mjs",
                    [place.forNodeClient(port: listener.port), IPCValue("me").described]
                )
                // With TLS 1.3 it hears of that only after its own part of the handshake is complete.
                _ = try await node.waitUntilReady()
                try await node.ask("closed")
                #expect(server.connections.isEmpty)
                #expect(server.openingCount == 0)
                await listener.close()
                server.dispose()
            }
        }

        @Test("A client in Swift without a certificate learns from a server in Node why it is turned away")
        func strangerInSwift() async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(.tls, directory, clientHasCertificate: false)
                let node = try NodePeer("server.mjs", [place.forNodeServer])
                let port = try await node.waitUntilReady()["port"]?.double
                let client = try await IPCClient.connect(to: place.clientEndpoint(port: port), context: "me")
                let end = try await #require(throws: ConnectionEnd.self) { try await client.waitUntilReady() }
                #expect(end.code == .refused, "\(end)")
                #expect(end.reason.contains("certificate"), "\(end)")
                await #expect(throws: end) { try await client.channel("node").call("whoami") }
            }
        }

        @Test("A client in Swift does not talk to a server in Node whose certificate is another authority's")
        func strangeServer() async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(.tls, directory)
                let node = try NodePeer("server.mjs", [place.forNodeServer])
                let port = try await node.waitUntilReady()["port"]?.double
                let other = try TestAuthority(name: "Other CA")
                let endpoint = ClientEndpoint.tls(
                    host: "127.0.0.1",
                    port: Int(port ?? 0),
                    configuration: other.clientConfiguration(try other.client("me"))
                )
                await #expect(throws: ConnectionEnd.self) { try await IPCClient.connect(to: endpoint, context: "me") }
                #expect(try await node.ask("contexts") == [])
            }
        }
    }
}
