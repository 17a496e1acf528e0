// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import Testing

@Suite("One client and one server")
struct OneToOneTests {
    @Test("A call gets its result")
    func success() async throws {
        let pair = try ServedPair()
        #expect(try await pair.client.channel("echo").call("echo", 5) == 5)
        #expect(try await pair.client.channel("echo").call("whoami") == "window:1")
    }

    @Test("A failing handler fails the call with its name, message and stack")
    func failure() async throws {
        let pair = try ServedPair()
        await #expect(throws: RemoteError(name: "TypeError", message: "no", stack: "TypeError: no\n    at here")) {
            try await pair.client.channel("echo").call("fail")
        }
        await #expect(throws: RemoteFailure(["a": 1])) {
            try await pair.client.channel("echo").call("failValue", ["a": 1])
        }
    }

    @Test("An event fired by a handler arrives before the handler's answer")
    func events() async throws {
        let pair = try ServedPair()
        let channel = pair.client.channel("echo")
        var ticks = channel.listen("onTick").makeAsyncIterator()
        for number in 0..<100 {
            #expect(try await channel.call("tick", IPCValue(number)) == "ticked")
            #expect(try await ticks.next() == IPCValue(number))
        }
        #expect(pair.channel.ticks.listenerCount == 1)
    }

    @Test("A cancelled call fails at once, and its handler is cancelled")
    func cancel() async throws {
        let pair = try ServedPair()
        let call = Task { try await pair.client.channel("echo").call("never") }
        try await eventually("the handler has started") { pair.channel.started.withLock { !$0.isEmpty } }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        try await eventually("the handler is cancelled") { pair.channel.cancelled.withLock { $0 == 1 } }
        try await eventually("the late answer has come") { pair.client.connection.channelClient.outstandingCount == 0 }
    }

    @Test("A channel that is registered late serves what waited for it, and one that never is fails by name")
    func unknownChannel() async throws {
        let pair = try ServedPair()
        let late = Task { try await pair.client.channel("late").call("echo", 1) }
        let never = Task { try await pair.client.channel("never").call("echo", 1) }
        try await eventually("both wait") { pair.server.connections.first?.channelServer.openCount == 2 }
        pair.server.registerChannel("late", pair.channel)
        #expect(try await late.value == 1)
        let expected = RemoteError(name: "Unknown channel", message: "Channel name 'never' timed out after 1000ms")
        await #expect(throws: expected) { try await never.value }
    }

    @Test("When a side leaves, calls of the other fail with the reason")
    func leave() async throws {
        let pair = try ServedPair()
        let call = Task { try await pair.client.channel("echo").call("never") }
        try await eventually("the handler has started") { pair.channel.started.withLock { !$0.isEmpty } }
        pair.server.dispose()
        await #expect(throws: ConnectionEnd.closed) { try await call.value }
        await #expect(throws: ConnectionEnd.closed) { try await pair.client.channel("echo").call("echo") }
    }
}
