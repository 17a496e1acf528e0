// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Who a client says it is")
struct ContextTests {
    private struct Window: Codable, Sendable, Equatable {
        var remoteAuthority: String
        var clientId: String
    }

    @Test("Handlers are told what the client announced: text, or anything Codable as VS Code would write it")
    func contexts() async throws {
        let pair = try ServedPair(context: "window:1")
        #expect(try await pair.client.channel("echo").call("whoami") == "window:1")

        let window = Window(remoteAuthority: "ssh-remote+box", clientId: "renderer")
        let server = IPCServer<Window>()
        server.registerChannel("c", FunctionChannel<Window>.calls { window, _, _ in IPCValue(window.clientId) })
        let (near, far) = MessagePair.make()
        server.accept(far)
        let client = try IPCClient(over: near, context: window)
        #expect(try await client.channel("c").call("x") == "renderer")
        #expect(server.connections.map(\.context) == [window])
        #expect(client.context == window)

        let transport = ScriptedTransport()
        let scripted = try IPCClient(over: transport, context: window)
        #expect(
            transport.sent == Array(try Vectors.conversation("connect-object-ctx").messages(.clientToServer).prefix(2))
        )
        withExtendedLifetime(scripted) {}
    }

    @Test("Channels of a client are told the client's own context")
    func reverse() async throws {
        let pair = try ServedPair(context: "window:2")
        pair.client.registerChannel("back", FunctionChannel<String>.calls { context, _, _ in IPCValue(context) })
        try await pair.client.waitUntilReady()
        #expect(try await pair.server.connections[0].channel("back").call("x") == "window:2")
    }

    @Test("A context that is not what the server expects, or nothing at all, closes the connection")
    func mismatch() async throws {
        let messages: [[UInt8]] = [
            IPCMessage.context(5), IPCMessage.context(["clientId": "x"]), IPCMessage.context(.undefined),
            IPCMessage.initialize, [], [5, 1, 0x7b], [1, 5, 0x61],
        ]
        for message in messages {
            let server = IPCServer<String>()
            let transport = ScriptedTransport()
            server.accept(transport)
            #expect(server.openingCount == 1)
            transport.deliver(message)
            #expect(transport.end?.code == .malformed, "\(message)")
            transport.deliver(IPCMessage.context("late"))
            try await eventually("it is forgotten") { server.openingCount == 0 }
            #expect(server.connections.isEmpty)
            #expect(transport.sent.isEmpty)
        }
    }

    @Test("A client that does not say who it is is closed after a while")
    func timeout() async throws {
        var options = ConnectionOptions()
        options.contextTimeout = .milliseconds(20)
        let server = IPCServer<String>(options: options)
        let (silent, speaking) = (ScriptedTransport(), ScriptedTransport())
        server.accept(silent)
        server.accept(speaking)
        speaking.deliver(IPCMessage.context("me"))
        try await eventually("the silent one is closed") { silent.end?.code == .noContext }
        try await eventually("and forgotten") { server.openingCount == 0 }
        letTimePass(milliseconds: 30)
        #expect(speaking.end == nil)
        #expect(server.connections.count == 1)
    }

    @Test("The server says nothing before it has the context, and then Initialize")
    func silence() {
        let server = IPCServer<String>()
        let transport = ScriptedTransport()
        server.accept(transport)
        #expect(transport.sent.isEmpty)
        transport.deliver(IPCMessage.context("me"))
        #expect(transport.sent == [IPCMessage.initialize])
    }

    @Test("Two clients may say the same")
    func duplicates() async throws {
        let first = try ServedPair(context: "same")
        let (near, far) = MessagePair.make()
        first.server.accept(far)
        let second = try IPCClient(over: near, context: "same")
        #expect(try await second.channel("echo").call("whoami") == "same")
        #expect(try await first.client.channel("echo").call("whoami") == "same")
        #expect(first.server.connections.count == 2)
    }
}
