// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPC
import IPCProtocol
import IPCTransport
import Synchronization
import Testing

extension InteropTests {
    @Suite("A server in Swift and several clients in Node", .serialized)
    struct ManyClients {
        /// What VS Code's remote connections announce.
        struct Remote: Codable, Hashable {
            var remoteAuthority: String
            var clientId: String
        }

        private static func start(_ place: Place, _ listener: IPCListener, _ context: IPCValue) async throws -> NodePeer
        {
            let node = try NodePeer("client.mjs", [place.forNodeClient(port: listener.port), context.described])
            _ = try await node.waitUntilReady()
            return node
        }

        @Test(
            "Calls go to the client that a router or filter chooses, events come from all",
            arguments: Setting.Carrier.allCases
        )
        func routing(_ carrier: Setting.Carrier) async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(carrier, directory)
                let server = IPCServer<String>()
                let listener = try await server.serve(try place.serverEndpoint())
                let early = Task {
                    try await server.channel("node", router: StaticRouter { $0 == "window:2" }).call("whoami")
                }
                var nodes: [NodePeer] = []
                for index in 0..<3 { nodes.append(try await Self.start(place, listener, IPCValue("window:\(index)"))) }
                try await eventually("all are there") { server.connections.count == 3 }
                #expect(try await early.value == "window:2")

                for index in 0..<3 {
                    let context = "window:\(index)"
                    #expect(
                        try await server.channel("node", router: StaticRouter { $0 == context }).call("whoami")
                            == IPCValue(context)
                    )
                }
                let others = server.channel("node", where: { $0 != "window:1" })
                for _ in 0..<10 {
                    #expect(try await others.call("whoami") != "window:1")
                }

                let ticks = Mutex<[IPCValue]>([])
                let subscription = others.listen("onTick").subscribe { tick in ticks.withLock { $0.append(tick) } }
                for index in [0, 2] { while try await nodes[index].seen("first") != 1 {} }
                for index in 0..<3 { try await nodes[index].ask("fire", ["payload": IPCValue(index).described]) }
                try await eventually("two have fired") { ticks.withLock { Set($0) } == [0, 2] }
                #expect(try await nodes[1].seen("first") == 0)

                nodes[2].process.signal(SIGKILL)
                try await eventually("one is gone") { server.connections.count == 2 }
                nodes.append(try await Self.start(place, listener, "window:3"))
                while try await nodes[3].seen("first") != 1 {}
                try await nodes[3].ask("fire", ["payload": IPCValue(3).described])
                try await eventually("the new one is heard") { ticks.withLock { $0.contains(3) } }
                subscription.cancel()
                for index in [0, 3] { while try await nodes[index].seen("last") != 1 {} }
                await listener.close()
                server.dispose()
                for index in [0, 1, 3] { try await nodes[index].ask("closed") }
            }
        }

        @Test(
            "Contexts are types of Swift; who announces something else is turned away",
            arguments: Setting.Carrier.allCases
        )
        func contexts(_ carrier: Setting.Carrier) async throws {
            try await Turn.run {
                let directory = try TemporaryDirectory()
                let place = try Place(carrier, directory)
                let server = IPCServer<Remote>()
                let listener = try await server.serve(try place.serverEndpoint())
                let wrong = try await Self.start(place, listener, "window:1")
                try await wrong.ask("closed")
                let context: IPCValue = ["remoteAuthority": "ssh-remote+host", "clientId": "é"]
                let node = try await Self.start(place, listener, context)
                try await eventually("one is there") { server.connections.count == 1 }
                let remote = Remote(remoteAuthority: "ssh-remote+host", clientId: "é")
                #expect(server.connections.first?.context == remote)
                let router = StaticRouter<Remote> { $0 == remote }
                #expect(try await server.channel("node", router: router).call("whoami") == context)
                #expect(server.openingCount == 0)
                await listener.close()
                server.dispose()
                try await node.ask("closed")
            }
        }
    }
}
