// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("A server and its clients")
struct HubTests {
    @Test("A client is announced when it is among the others, and its going when it is no more and was disposed of")
    func order() throws {
        let log = Log<String>()
        let server = IPCServer<String>()
        let added = server.onDidAddConnection.subscribe { connection in
            log.append("added \(connection.context), among \(server.connections.count), ended \(connection.end != nil)")
        }
        let removed = server.onDidRemoveConnection.subscribe { connection in
            let ended = connection.onDidClose.subscribe { log.append("closed \($0.code)") }
            log.append(
                "removed \(connection.context), among \(server.connections.count), "
                    + "open \(connection.channelServer.openCount), ended \(connection.end != nil)"
            )
            ended.cancel()
        }
        let transports = (0..<2).map { number in
            let transport = ScriptedTransport()
            server.accept(transport)
            transport.deliver(IPCMessage.context(.string(IPCString("\(number)"))))
            return transport
        }
        transports[0].deliver(IPCMessage.call(id: 0, channel: "nobody", command: "x"))
        #expect(server.connections.map(\.context) == ["0", "1"])
        transports[0].endFromPeer()
        transports[1].endFromPeer()
        #expect(
            log.entries == [
                "added 0, among 1, ended false", "added 1, among 2, ended false",
                "removed 0, among 1, open 0, ended true", "removed 1, among 0, open 0, ended true",
            ]
        )
        added.cancel()
        removed.cancel()
    }

    @Test("A client that leaves before it says who it is is not announced, and leaves nothing behind")
    func early() {
        let log = Log<String>()
        let server = IPCServer<String>()
        let added = server.onDidAddConnection.subscribe { log.append($0.context) }
        let removed = server.onDidRemoveConnection.subscribe { log.append($0.context) }
        let transport = ScriptedTransport()
        server.accept(transport)
        #expect(server.openingCount == 1)
        transport.endFromPeer()
        #expect(server.openingCount == 0)
        #expect(log.entries.isEmpty)
        #expect(!transport.hasReceiver)
        added.cancel()
        removed.cancel()
    }

    @Test("A channel that is registered later is there for clients that are connected and those that come")
    func pushed() async throws {
        let pair = try ServedPair()
        try await pair.client.waitUntilReady()
        pair.server.registerChannel(
            "new",
            FunctionChannel<String>.calls { context, _, _ in IPCValue("new to \(context)") }
        )
        #expect(try await pair.client.channel("new").call("x") == "new to window:1")
        let (near, far) = MessagePair.make()
        pair.server.accept(far)
        let other = try IPCClient(over: near, context: "window:2")
        #expect(try await other.channel("new").call("x") == "new to window:2")
    }

    @Test("A channel of one connection is not there for others")
    func ownChannel() async throws {
        var options = ConnectionOptions()
        options.unknownChannelTimeout = .milliseconds(1)
        let pair = try ServedPair(options: options)
        let (near, far) = MessagePair.make()
        pair.server.accept(far)
        let other = try IPCClient(over: near, context: "other", options: options)
        try await eventually("both are there") { pair.server.connections.count == 2 }
        let connection = try #require(pair.server.connections.first { $0.context == "window:1" })
        connection.registerChannel("private", FunctionChannel<String>.calls { _, _, _ in "yours" })
        #expect(try await pair.client.channel("private").call("x") == "yours")
        await #expect(throws: RemoteError.self) { try await other.channel("private").call("x") }
    }

    @Test("What is announced may be used at once, and may be sent away at once")
    func reentrant() async throws {
        let server = IPCServer<String>()
        let added = server.onDidAddConnection.subscribe { connection in
            server.registerChannel("c", FunctionChannel<String>.calls { _, _, argument in argument })
            if connection.context == "unwanted" { connection.dispose() }
        }
        let (near, far) = MessagePair.make()
        server.accept(far)
        let client = try IPCClient(over: near, context: "wanted")
        #expect(try await client.channel("c").call("x", 1) == 1)
        let (otherNear, otherFar) = MessagePair.make()
        server.accept(otherFar)
        let other = try IPCClient(over: otherNear, context: "unwanted")
        #expect(await other.waitUntilClosed() == .closed)
        added.cancel()
    }

    @Test("A thousand clients come and go, and nothing is left")
    func churn() async throws {
        let server = IPCServer<String>()
        server.registerChannel("c", FunctionChannel<String>.calls { _, _, argument in argument })
        var observed: [Observed<Connection<String>>] = []
        for _ in 0..<1_000 {
            let transport = ScriptedTransport()
            server.accept(transport)
            transport.deliver(IPCMessage.context("x"))
            observed.append(Observed(server.connections[0]))
            transport.deliver(IPCMessage.call(id: 0, channel: "c", command: "x"))
            transport.endFromPeer()
        }
        #expect(server.connections.isEmpty && server.openingCount == 0)
        try await eventually("all are released") { observed.allSatisfy(\.isGone) }
    }

    @Test("Clients that come while the server is disposed of are all closed")
    func disposeRaces() async throws {
        for _ in 0..<50 {
            let server = IPCServer<String>()
            let transports = (0..<10).map { _ in ScriptedTransport() }
            let coming = Task.detached {
                for transport in transports {
                    server.accept(transport)
                    transport.deliver(IPCMessage.context("x"))
                }
            }
            server.dispose()
            await coming.value
            try await eventually("all are closed") { transports.allSatisfy { !$0.hasReceiver } }
            try await eventually("nobody is left") { server.connections.isEmpty && server.openingCount == 0 }
        }
    }
}
