// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import Testing

@Suite("Everything is released")
struct LifetimeTests {
    /// What is watched of a connection.
    private struct Watched {
        var server: Observed<IPCServer<String>>
        var connection: Observed<Connection<String>>
        var answering: Observed<ChannelServer<String>>
        var asking: Observed<ChannelClient>
        var transport: Observed<ScriptedTransport>

        init(_ pair: ScriptedServer) {
            server = Observed(pair.server)
            connection = Observed(pair.server.connections[0])
            answering = Observed(pair.server.connections[0].channelServer)
            asking = Observed(pair.server.connections[0].channelClient)
            transport = Observed(pair.transport)
        }

        var isGone: Bool {
            server.isGone && connection.isGone && answering.isGone && asking.isGone && transport.isGone
        }
    }

    @Test("After a client has left, with a handler that goes on, a subscription, and requests that wait")
    func clientLeaves() async throws {
        let gate = Gate()
        defer { gate.open() }
        let emitter = EventEmitter<IPCValue>()
        func run() async throws -> Watched {
            var channel = FunctionChannel<String>.event(emitter.event)
            channel.onCall = { _, _, _ in
                await gate.wait()
                return .undefined
            }
            let pair = try ScriptedServer(channels: ["c": channel])
            let watched = Watched(pair)
            pair.call(0)
            pair.listen(1)
            pair.call(2, "nobody")
            pair.listen(3, "nobody")
            let reverse = pair.server.connections[0].channel("back")
            let call = Task.immediate { await CallOutcome { try await reverse.call("x") } }
            let subscription = reverse.listen("onX").subscribe { _ in }
            try await eventually("the handler waits") { gate.waiterCount == 1 }
            pair.transport.endFromPeer(.closed)
            #expect(await call.value == .ended(.closed))
            #expect(emitter.listenerCount == 0)
            withExtendedLifetime(subscription) {}
            return watched
        }
        let watched = try await run()
        try await eventually("all are released") { watched.isGone }
        #expect(gate.waiterCount == 1, "the handler still runs")
    }

    @Test("After a server was disposed of whose channels refer to it")
    func serverWithCycle() async throws {
        func run() async throws -> Watched {
            let pair = try ScriptedServer()
            let server = pair.server
            server.registerChannel("c", FunctionChannel<String>.calls { _, _, _ in IPCValue(server.connections.count) })
            let watched = Watched(pair)
            pair.call(0)
            #expect(try pair.sent == [.success(id: 0, result: 1)])
            server.dispose()
            try await eventually("it is over") { server.connections.isEmpty }
            return watched
        }
        let watched = try await run()
        try await eventually("all are released") { watched.isGone }
    }

    @Test("A client that is released closes its connection; a channel of it, a call and a subscription keep it")
    func client() async throws {
        let transport = ScriptedTransport()
        func make() throws -> (any Channel, Observed<IPCClient<String>>) {
            let client = try IPCClient(over: transport, context: "me")
            return (client.channel("c"), Observed(client))
        }
        var (channel, observed): ((any Channel)?, Observed<IPCClient<String>>) = try make()
        transport.deliver(IPCMessage.initialize)
        #expect(!observed.isGone)
        var subscription: EventSubscription? = channel?.listen("onX").subscribe { _ in }
        let call = Task.immediate { [channel] in await CallOutcome { try await channel?.call("x") ?? .null } }
        channel = nil
        #expect(!observed.isGone, "a call waits and somebody listens")
        transport.deliver(IPCMessage.success(id: 1, result: 1))
        #expect(await call.value == .success(1))
        #expect(!observed.isGone, "somebody listens")
        withExtendedLifetime(subscription) {}
        subscription = nil
        try await eventually("it is released") { observed.isGone }
        #expect(transport.end == .disposed)
        try await eventually("its transport has forgotten it") { !transport.hasReceiver }
    }

    @Test(
        "A client that was disposed of is released with its connection, also while somebody still holds a subscription"
    )
    func disposedClient() async throws {
        func run() throws -> (Observed<Connection<String>>, Observed<ChannelClient>, ScriptedTransport) {
            let pair = try ScriptedClient()
            pair.client.registerChannel("own", FunctionChannel<String>())
            pair.client.dispose()
            return (Observed(pair.client.connection), Observed(pair.asking), pair.transport)
        }
        let (connection, asking, _) = try run()
        try await eventually("both are released") { connection.isGone && asking.isGone }
    }

    @Test("Channels are released when they are replaced or the server is, and may use it while they go")
    func channels() throws {
        final class Owner: Sendable {
            let server: IPCServer<String>
            let log: Log<Int>
            init(_ server: IPCServer<String>, _ log: Log<Int>) {
                self.server = server
                self.log = log
            }
            deinit { log.append(server.connections.count) }
        }
        let log = Log<Int>()
        let pair = try ScriptedServer()
        func register() {
            let owner = Owner(pair.server, log)
            pair.server.registerChannel("c", FunctionChannel<String>.calls { _, _, _ in IPCValue(owner.log.count) })
        }
        register()
        #expect(log.count == 0)
        register()
        #expect(log.entries == [1])
        pair.server.dispose()
        #expect(log.count == 2)
    }

    @Test("A routed event that waits for a client does not keep the server")
    func routedEvent() async throws {
        func run() throws -> Observed<IPCServer<String>> {
            let server = IPCServer<String>()
            let event = server.channel("c", router: StaticRouter { _ in false }).listen("onX")
            let subscription = event.subscribe { _ in }
            subscription.cancel()
            return Observed(server)
        }
        let server = try run()
        try await eventually("the server is released") { server.isGone }
    }

    @Test("A multicast event that nobody listens to any more keeps nothing")
    func multicast() async throws {
        func run() throws -> Watched {
            let pair = try ScriptedServer()
            let watched = Watched(pair)
            let event = pair.server.channel("c", where: { _ in true }).listen("onX")
            let subscription = event.subscribe { _ in }
            #expect(try pair.sent.count == 1)
            subscription.cancel()
            pair.transport.endFromPeer()
            return watched
        }
        let watched = try run()
        try await eventually("all are released") { watched.isGone }
    }

    @Test("Two ends in memory let go of each other and of their receivers")
    func pair() async throws {
        func run() async throws -> [Observed<Connection<String>>] {
            let pair = try ServedPair()
            try await pair.client.waitUntilReady()
            let observed = [Observed(pair.server.connections[0]), Observed(pair.client.connection)]
            let call = Task.immediate { [channel = pair.client.channel("echo")] in try await channel.call("never") }
            try await eventually("the handler runs") { pair.channel.started.withLock { $0.count == 1 } }
            pair.client.dispose()
            _ = await call.result
            return observed
        }
        let observed = try await run()
        try await eventually("both are released") { observed.allSatisfy(\.isGone) }
    }
}
