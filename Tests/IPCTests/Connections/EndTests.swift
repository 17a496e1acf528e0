// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("The end of a connection")
struct EndTests {
    @Test("A client that is disposed of cancels and unsubscribes in the order of numbers, then closes")
    func dispose() async throws {
        let pair = try ScriptedClient()
        let ended = Log<Bool>()
        let first = pair.start("x")
        let subscription = pair.client.channel("c").listen("onX").attach(
            EventSink(receive: { _ in }, end: { ended.append($0 == nil) })
        )
        let second = pair.start("y")
        second.cancel()
        let third = pair.start("z")
        pair.client.dispose()
        #expect(
            try pair.sent.suffix(4) == [
                .call(id: 3, channel: "c", command: "z", argument: .undefined), .cancel(id: 0), .unlisten(id: 1),
                .cancel(id: 3),
            ]
        )
        #expect(pair.transport.end == .disposed)
        #expect(await first.value == .ended(.disposed))
        #expect(await third.value == .ended(.disposed))
        #expect(ended.entries == [true])
        #expect(pair.asking.outstandingCount == 0)
        #expect(await CallOutcome { try await pair.client.channel("c").call("x") } == .ended(.disposed))
        let late = pair.client.channel("c").listen("onX")
        var iterator = late.makeAsyncIterator()
        #expect(try await iterator.next() == nil)
        pair.client.dispose()
        #expect(try pair.sent.count == 8)
        subscription.cancel()
        #expect(await pair.client.waitUntilClosed() == .disposed)
    }

    @Test("A client that is disposed of before the server is ready sends nothing more")
    func disposeEarly() async throws {
        let pair = try ScriptedClient(ready: false)
        let call = pair.start("x")
        let subscription = pair.client.channel("c").listen("onX").subscribe { _ in }
        pair.client.dispose()
        #expect(try pair.sent.isEmpty)
        #expect(await call.value == .ended(.disposed))
        subscription.cancel()
    }

    @Test("When the connection is lost, calls fail with the reason, events end with it, and everything is forgotten")
    func lost() async throws {
        for isReady in [true, false] {
            let pair = try ScriptedClient(ready: isReady)
            let call = pair.start("x")
            let cancelled = pair.start("y")
            cancelled.cancel()
            var events = pair.client.channel("c").listen("onX").makeAsyncIterator()
            let sent = try pair.sent.count
            pair.transport.endFromPeer(.lost)
            #expect(await call.value == .ended(.lost))
            #expect(await cancelled.value == .cancelled)
            await #expect(throws: ConnectionEnd.lost) { try await events.next() }
            #expect(await CallOutcome { try await pair.client.channel("c").call("x") } == .ended(.lost))
            #expect(pair.asking.outstandingCount == 0)
            #expect(pair.client.connection.end == .lost)
            #expect(try pair.sent.count == sent)
            pair.transport.deliver(IPCMessage.initialize)
            pair.transport.deliver(IPCMessage.success(id: 0))
            call.cancel()
        }
    }

    @Test("An orderly end by the server ends events without an error")
    func closed() async throws {
        let pair = try ScriptedClient()
        var events = pair.client.channel("c").listen("onX").makeAsyncIterator()
        pair.transport.deliver(IPCMessage.event(id: 0, payload: 1))
        pair.transport.endFromPeer(.closed)
        #expect(try await events.next() == 1)
        #expect(try await events.next() == nil)
    }

    @Test("A server whose client leaves cancels handlers, detaches events, and sends no late answer")
    func clientLeaves() async throws {
        let gate = Gate()
        let emitter = EventEmitter<IPCValue>()
        let told = Log<Bool>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, command, _ in
            if command == "heeds" { await gate.waitUntilCancelled() } else { await gate.wait() }
            told.append(Task.isCancelled)
            return .undefined
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        pair.call(0, "c", "heeds")
        pair.call(1, "c", "ignores")
        pair.listen(2)
        pair.transport.endFromPeer(.closed)
        try await eventually("the first handler is told") { told.entries == [true] }
        #expect(emitter.listenerCount == 0)
        #expect(pair.server.connections.isEmpty)
        gate.open()
        try await eventually("the second handler ends") { told.entries == [true, true] }
        #expect(try pair.sent.isEmpty)
    }

    @Test("A connection that is disposed of serves nothing more, even if its transport goes on to deliver")
    func nothingMore() throws {
        let started = Log<IPCValue>()
        let emitter = EventEmitter<IPCValue>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, argument in
            started.append(argument)
            return .undefined
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        let connection = pair.server.connections[0]
        pair.listen(0)
        connection.dispose()
        #expect(emitter.listenerCount == 0)
        #expect(
            connection.channelServer.receive(.call(id: 1, channel: "c", command: "x", argument: 1), byteCount: 0) == nil
        )
        connection.registerChannel("c", channel)
        #expect(started.entries.isEmpty)
    }

    @Test("A handler may dispose of its own connection")
    func fromHandler() async throws {
        let connection = Log<Connection<String>>()
        let channel = FunctionChannel<String>.calls { _, _, _ in
            connection.entries.first?.dispose()
            return IPCValue(Task.isCancelled ? "cancelled" : "not told yet")
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        connection.append(pair.server.connections[0])
        pair.call(0)
        #expect(pair.transport.end == .disposed)
        try await eventually("it is gone") { pair.server.connections.isEmpty }
        #expect(try pair.sent.isEmpty)
    }

    @Test("The end is told exactly once to those who listen, and at once to those who come later, iterating or not")
    func onDidClose() async throws {
        let pair = try ScriptedClient()
        let heard = Log<ConnectionEnd>()
        let first = pair.client.onDidClose.subscribe { heard.append($0) }
        var before = pair.client.onDidClose.makeAsyncIterator()
        let waiting = Task.immediate { await pair.client.waitUntilClosed() }
        #expect(pair.client.connection.end == nil)
        pair.transport.endFromPeer(.lost)
        pair.transport.endFromPeer(.closed)
        let late = pair.client.onDidClose.subscribe { heard.append($0) }
        #expect(heard.entries == [.lost, .lost])
        #expect(try await before.next() == .lost)
        #expect(try await before.next() == nil)
        var after = pair.client.onDidClose.makeAsyncIterator()
        #expect(try await after.next() == .lost)
        #expect(try await after.next() == nil)
        #expect(await waiting.value == .lost)
        #expect(await pair.client.waitUntilClosed() == .lost)
        first.cancel()
        late.cancel()
    }

    @Test("Listeners that come while a connection ends hear of it once, too")
    func onDidCloseRaces() async throws {
        for _ in 0..<200 {
            let pair = try ScriptedClient()
            let heard = Log<ConnectionEnd>()
            let ending = Task.detached { pair.transport.endFromPeer(.closed) }
            let subscriptions = (0..<10).map { _ in pair.client.onDidClose.subscribe { heard.append($0) } }
            await ending.value
            #expect(heard.count == 10)
            for subscription in subscriptions { subscription.cancel() }
        }
    }

    @Test("Whoever sees a call fail sees why")
    func endIsKnown() async throws {
        for _ in 0..<100 {
            let pair = try ScriptedClient()
            let channel = pair.client.channel("c")
            let call = Task.immediate { () -> ConnectionEnd? in
                _ = await CallOutcome { try await channel.call("x") }
                return pair.client.connection.end
            }
            pair.transport.endFromPeer(.lost)
            #expect(await call.value == .lost)
        }
    }

    @Test("A server that is disposed of ends its connections, refuses those that come, and says so to those who watch")
    func serverDispose() async throws {
        let pair = try ServedPair()
        let (silentNear, silentFar) = MessagePair.make()
        pair.server.accept(silentFar)
        let silent = RawPeer(over: silentNear)
        try await pair.client.waitUntilReady()
        let server = pair.server
        let watching = Task.immediate { () -> Int in
            var count = 0
            for try await _ in server.onDidRemoveConnection { count += 1 }
            return count
        }
        let routed = Task.immediate {
            await CallOutcome { try await server.channel("c", where: { $0 == "x" }).call("y") }
        }
        let multicast = Task.immediate {
            for try await _ in server.channel("c", where: { _ in true }).listen("onX") {}
            return true
        }
        pair.server.dispose()
        #expect(await pair.client.waitUntilClosed() == .closed)
        try await eventually("the silent one is closed, too") { silent.end == .closed }
        #expect(await routed.value == .ended(.disposed))
        #expect(try await multicast.value)
        #expect(try await watching.value == 1)
        let (near, far) = MessagePair.make()
        pair.server.accept(far)
        let late = RawPeer(over: near)
        try await eventually("who comes late is refused") { late.end == .closed }
        #expect(
            await CallOutcome { try await server.channel("c", where: { _ in true }).call("y") } == .ended(.disposed)
        )
        for try await _ in server.channel("c", where: { _ in true }).listen("onX") {}
        for try await _ in server.onDidAddConnection {}
    }

    @Test("Both sides may close at once, with work on both")
    func bothSides() async throws {
        for _ in 0..<100 {
            let pair = try ServedPair()
            let channel = pair.client.channel("echo")
            try await pair.client.waitUntilReady()
            let calls = (0..<10).map { number in
                Task.immediate { await CallOutcome { try await channel.call(number % 2 == 0 ? "never" : "echo") } }
            }
            let (server, client) = (pair.server, pair.client)
            let other = Task.detached { server.dispose() }
            client.dispose()
            await other.value
            for call in calls {
                switch await call.value {
                case .success, .ended: break
                case let outcome: Issue.record("\(outcome)")
                }
            }
            try await eventually("nobody is connected") { server.connections.isEmpty }
        }
    }
}
