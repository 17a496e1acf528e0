// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Testing

extension InteropTests {
    @Suite("Clients in Swift of a server in Node")
    struct Opening {
        /// A server in Node, and where it is.
        private static func serve(
            _ carrier: Setting.Carrier,
            _ directory: TemporaryDirectory
        ) async throws -> (NodePeer, ClientEndpoint) {
            let place = try Place(carrier, directory)
            let node = try NodePeer("server.mjs", [place.forNodeServer])
            let port = try await node.waitUntilReady()["port"]?.double
            return (node, place.clientEndpoint(port: port))
        }

        @Test(
            "What is asked at once is held until the server is ready",
            arguments: Setting.Carrier.allCases
        )
        func atOnce(_ carrier: Setting.Carrier) async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let (node, endpoint) = try await Self.serve(carrier, directory)
                for _ in 0..<20 {
                    let client = try await IPCClient.connect(to: endpoint, context: "me")
                    var ticks = client.channel("node").listen("onTick").makeAsyncIterator()
                    let withdrawn = Task { try await client.channel("node").call("never") }
                    withdrawn.cancel()
                    #expect(try await client.channel("node").call("tick", 2) == "ticked")
                    #expect(try await ticks.next() == 0)
                    #expect(try await ticks.next() == 1)
                    await #expect(throws: CancellationError.self) { try await withdrawn.value }
                    client.dispose()
                }
                while try await node.ask("contexts") != [] {}
            }
        }

        @Test(
            "The connection lives as long as a client, channel or subscription of it",
            arguments: Setting.Carrier.allCases
        )
        func lifetime(_ carrier: Setting.Carrier) async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let (node, endpoint) = try await Self.serve(carrier, directory)
                var client: IPCClient? = try await IPCClient.connect(to: endpoint, context: "me")
                var channel = client?.channel("node")
                client = nil
                #expect(try await channel?.call("echo", 1) == 1)
                var subscription = channel?.listen("onTick").subscribe { _ in }
                channel = nil
                while try await node.seen("first") != 1 {}
                #expect(try await node.ask("contexts") == [IPCValue("me").described])
                #expect(subscription != nil)
                subscription = nil
                while try await node.ask("contexts") != [] {}
                #expect(try await node.seen("last") == 1)
            }
        }
    }
}
