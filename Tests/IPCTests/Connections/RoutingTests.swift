// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Channels that live in clients")
struct RoutingTests {
    private struct NoRoute: Error {}

    private struct ClosureRouter: ConnectionRouter {
        let choose: @Sendable (any ConnectionHub<String>, IPCString) async throws -> Connection<String>

        func routeCall(
            _ hub: any ConnectionHub<String>,
            _ command: IPCString,
            _ argument: IPCValue
        ) async throws -> Connection<String> {
            try await choose(hub, command)
        }

        func routeEvent(
            _ hub: any ConnectionHub<String>,
            _ event: IPCString,
            _ argument: IPCValue
        ) async throws -> Connection<String> {
            try await choose(hub, event)
        }
    }

    @Test("A filtered call goes to one of those that pass, and over time to each of them")
    func random() async throws {
        let clients = Clients()
        let members = [try await clients.add("a1"), try await clients.add("b"), try await clients.add("a2")]
        let channel = clients.server.channel("c", where: { $0.hasPrefix("a") })
        var counts: [String: Int] = [:]
        for _ in 0..<100 {
            let answer = try await channel.call("x", 1).array
            counts[answer?.first?.string ?? "", default: 0] += 1
        }
        // Each is missed by all of 100 with a chance of 2⁻⁹⁹.
        #expect(Set(counts.keys) == ["a1", "a2"])
        withExtendedLifetime(members) {}
    }

    @Test("A filtered call waits for a client that passes")
    func waits() async throws {
        let clients = Clients()
        let wrong = try await clients.add("wrong")
        let channel = clients.server.channel("c", where: { $0 == "right" })
        let call = Task.immediate { await CallOutcome { try await channel.call("x", 1) } }
        let impatient = Task.immediate { await CallOutcome { try await channel.call("x", 2) } }
        impatient.cancel()
        #expect(await impatient.value == .cancelled)
        let alsoWrong = try await clients.add("wrong again")
        let right = try await clients.add("right")
        #expect(await call.value == .success(["right", "x", 1]))
        withExtendedLifetime((wrong, alsoWrong, right)) {}
    }

    @Test("Waiting calls survive however many clients come that do not pass, even while the predicate takes its time")
    func manyComeWhileWaiting() async throws {
        let server = IPCServer<String>()
        let gate = Gate()
        let router = StaticRouter<String> { context in
            await gate.wait()
            return context == "right"
        }
        var transports: [ScriptedTransport] = []
        func come(_ context: String) {
            let transport = ScriptedTransport()
            server.accept(transport)
            transport.deliver(IPCMessage.context(.string(IPCString(context))))
            transports.append(transport)
        }
        come("first")
        let call = Task.immediate { await CallOutcome { try await server.channel("c", router: router).call("x") } }
        for number in 0..<200 {
            come("wrong \(number)")
            transports[transports.count - 1].endFromPeer()
        }
        come("right")
        gate.open()
        let right = transports[transports.count - 1]
        right.deliver(IPCMessage.initialize)
        try await eventually("the call is sent") { right.sent.count == 2 }
        right.deliver(IPCMessage.success(id: 0, result: 1))
        #expect(await call.value == .success(1))
    }

    @Test("A filtered event comes from all that pass, as they come and go, and is left everywhere at the end")
    func multicast() async throws {
        let clients = Clients()
        let first = try await clients.add("a1")
        let other = try await clients.add("b")
        let heard = Log<IPCValue>()
        let event = clients.server.channel("c", where: { $0.hasPrefix("a") }).listen("onX", "arg")
        let one = event.subscribe { heard.append($0) }
        let second = try await clients.add("a2")
        try await eventually("both are listened to") { first.emitter.listenerCount + second.emitter.listenerCount == 2 }
        #expect(other.emitter.listenerCount == 0)
        first.emitter.fire(1)
        try await eventually("the first is heard") { heard.entries == [1] }
        let two = event.subscribe { _ in }
        second.emitter.fire(2)
        other.emitter.fire(99)
        try await eventually("the second is heard") { heard.entries == [1, 2] }
        try await clients.remove(first)
        let third = try await clients.add("a3")
        try await eventually("the third is listened to") { third.emitter.listenerCount == 1 }
        one.cancel()
        third.emitter.fire(3)
        #expect(heard.entries == [1, 2], "one has left, the other still listens")
        #expect(third.emitter.listenerCount == 1)
        two.cancel()
        try await eventually("nobody is listened to") {
            second.emitter.listenerCount + third.emitter.listenerCount == 0
        }
        let again = event.subscribe { heard.append($0) }
        try await eventually("both are listened to again") {
            second.emitter.listenerCount + third.emitter.listenerCount == 2
        }
        third.emitter.fire(4)
        try await eventually("it is heard") { heard.entries == [1, 2, 4] }
        again.cancel()
        withExtendedLifetime(other) {}
    }

    @Test("A multicast event under clients that come and go and listeners that come and go leaves nothing behind")
    func multicastChurn() async throws {
        let server = IPCServer<String>()
        let event = server.channel("c", where: { _ in true }).listen("onX")
        let transports = Log<ScriptedTransport>()
        await withTaskGroup { group in
            group.addTask {
                for _ in 0..<300 { event.subscribe { _ in }.cancel() }
            }
            group.addTask {
                for number in 0..<300 {
                    let transport = ScriptedTransport()
                    server.accept(transport)
                    transport.deliver(IPCMessage.context("x"))
                    transport.deliver(IPCMessage.initialize)
                    transports.append(transport)
                    if number % 2 == 0 { transport.endFromPeer() }
                }
            }
        }
        #expect(server.connections.count == 150)
        for connection in server.connections { #expect(connection.channelClient.outstandingCount == 0) }
        let subscription = event.subscribe { _ in }
        for connection in server.connections { #expect(connection.channelClient.outstandingCount == 1) }
        subscription.cancel()
        for connection in server.connections { #expect(connection.channelClient.outstandingCount == 0) }
        for transport in transports.entries { transport.endFromPeer() }
        #expect(server.connections.isEmpty)
    }

    @Test("A static router takes the first that fits, in the order in which they came, and waits when none does")
    func staticRouter() async throws {
        let clients = Clients()
        let asked = Log<String>()
        let router = StaticRouter<String> { context in
            await Task.yield()
            asked.append(context)
            return context.hasPrefix("a")
        }
        let channel = clients.server.channel("c", router: router)
        let early = Task.immediate { await CallOutcome { try await channel.call("early") } }
        let b = try await clients.add("b")
        let a1 = try await clients.add("a1")
        let a2 = try await clients.add("a2")
        #expect(await early.value == .success(["a1", "early", .undefined]))
        for _ in 0..<5 { #expect(try await channel.call("x") == ["a1", "x", .undefined]) }
        #expect(!asked.entries.contains("a2"))
        try await clients.remove(a1)
        #expect(try await channel.call("x") == ["a2", "x", .undefined])
        withExtendedLifetime((b, a2)) {}
    }

    @Test("A routed subscription stays with the client that was found first")
    func routedEvent() async throws {
        let clients = Clients()
        let heard = Log<IPCValue>()
        let channel = clients.server.channel("c", router: StaticRouter { $0.hasPrefix("a") })
        let subscription = channel.listen("onX").subscribe { heard.append($0) }
        let a1 = try await clients.add("a1")
        let a2 = try await clients.add("a2")
        try await eventually("the first is listened to") { a1.emitter.listenerCount == 1 }
        a1.emitter.fire(1)
        try await eventually("it is heard") { heard.entries == [1] }
        try await clients.remove(a1)
        #expect(a2.emitter.listenerCount == 0)
        let another = channel.listen("onX").subscribe { heard.append($0) }
        try await eventually("a new one goes to the next") { a2.emitter.listenerCount == 1 }
        subscription.cancel()
        another.cancel()
        try await eventually("it is left") { a2.emitter.listenerCount == 0 }
    }

    @Test("A router of one's own sees commands and events, and what it throws is what happens")
    func customRouter() async throws {
        let clients = Clients()
        let members = [try await clients.add("a"), try await clients.add("b")]
        let router = ClosureRouter { hub, name in
            guard let found = hub.connections.first(where: { name.description.hasSuffix($0.context.uppercased()) })
            else {
                throw NoRoute()
            }
            return found
        }
        let channel = clients.server.channel("c", router: router)
        #expect(try await channel.call("toB") == ["b", "toB", .undefined])
        #expect(try await channel.call("toA") == ["a", "toA", .undefined])
        await #expect(throws: NoRoute.self) { try await channel.call("toC") }
        var events = channel.listen("onC").makeAsyncIterator()
        await #expect(throws: NoRoute.self) { try await events.next() }
        let subscription = channel.listen("onA").subscribe { _ in }
        try await eventually("it is listened to") { members[0].emitter.listenerCount == 1 }
        subscription.cancel()
    }

    @Test("A call to a client that has gone since it was chosen fails with the end of its connection")
    func gone() async throws {
        let clients = Clients()
        let member = try await clients.add("a")
        let connection = clients.server.connections[0]
        try await clients.remove(member)
        let channel = clients.server.channel("c", router: ClosureRouter { _, _ in connection })
        #expect(await CallOutcome { try await channel.call("x") } == .ended(.closed))
        var events = channel.listen("onX").makeAsyncIterator()
        #expect(try await events.next() == nil)
    }

    @Test("All clients get pinged, and the server gets pings from all")
    func broadcast() async throws {
        let clients = Clients()
        let members = [try await clients.add("1"), try await clients.add("2"), try await clients.add("3")]
        for connection in clients.server.connections {
            #expect(
                try await connection.channel("c").call("ping") == [IPCValue(connection.context), "ping", .undefined]
            )
        }
        let heard = Log<IPCValue>()
        let subscription = clients.server.channel("c", where: { _ in true }).listen("onPing").subscribe {
            heard.append($0)
        }
        try await eventually("all are listened to") { members.allSatisfy { $0.emitter.listenerCount == 1 } }
        for (number, member) in members.enumerated() { member.emitter.fire(IPCValue(number)) }
        try await eventually("all are heard") { heard.count == 3 }
        #expect(Set(heard.entries) == [0, 1, 2])
        subscription.cancel()
    }

    @Test("Cancelling a call of the server tells the handler in the client")
    func cancelReverse() async throws {
        let pair = try ServedPair()
        let gate = Gate()
        let told = Log<Bool>()
        pair.client.registerChannel(
            "slow",
            FunctionChannel<String>.calls { _, _, _ in
                await gate.waitUntilCancelled()
                told.append(Task.isCancelled)
                throw CancellationError()
            }
        )
        try await pair.client.waitUntilReady()
        let channel = pair.server.channel("slow", where: { _ in true })
        let call = Task.immediate { await CallOutcome { try await channel.call("x") } }
        try await eventually("it runs") { pair.client.connection.channelServer.openCount == 1 }
        call.cancel()
        #expect(await call.value == .cancelled)
        try await eventually("the handler is told") { told.entries == [true] }
    }
}
