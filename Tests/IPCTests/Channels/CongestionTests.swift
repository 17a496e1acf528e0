// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("A peer that does not read its answers")
struct CongestionTests {
    /// A server with a channel that logs and echoes.
    private func make(
        heldBytes: Int = 10_000,
        pausable: Bool = true
    ) throws -> (ScriptedServer, started: Log<IPCValue>, EventEmitter<IPCValue>) {
        var options = ConnectionOptions()
        options.heldRequestBytes = heldBytes
        let started = Log<IPCValue>()
        let emitter = EventEmitter<IPCValue>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, argument in
            started.append(argument)
            return .undefined
        }
        return (try ScriptedServer(options: options, pausable: pausable, channels: ["c": channel]), started, emitter)
    }

    @Test("Requests are held until it reads, and then served in their order")
    func held() async throws {
        let (pair, started, emitter) = try make()
        pair.call(0, "c", "x", 0)
        pair.transport.setCongested(true)
        for id in 1..<50 { pair.call(UInt64(id), "c", "x", IPCValue(id)) }
        pair.listen(50)
        #expect(started.entries == [0])
        #expect(emitter.listenerCount == 0)
        try await eventually("the server waits") { pair.transport.drainerCount == 1 }
        pair.transport.setCongested(false)
        try await eventually("all are answered") { try pair.sent.count == 50 && emitter.listenerCount == 1 }
        #expect(started.entries == (0..<50).map { IPCValue($0) })
        pair.call(60, "c", "x", "direct")
        #expect(started.entries.last == "direct")
    }

    @Test("Nothing more is read when too much is held, and reading goes on when it was served")
    func paused() async throws {
        let (pair, started, _) = try make(heldBytes: 2_000)
        pair.transport.setCongested(true)
        let large = IPCValue.vsBuffer([UInt8](repeating: 7, count: 900))
        for id: UInt64 in 0..<2 { pair.call(id, "c", "x", large) }
        #expect(!pair.transport.isDelivering, "two of them with what each costs are more than 2,000 bytes")
        for id: UInt64 in 2..<6 { pair.call(id, "c", "x", large) }
        pair.transport.setCongested(false)
        try await eventually("all are answered") { try pair.sent.count == 6 }
        #expect(started.count == 6)
        #expect(pair.transport.isDelivering)
    }

    @Test("Reading goes on also when everything that was held has been withdrawn", arguments: [true, false])
    func withdrawnWhilePaused(isCall: Bool) async throws {
        // A transport that had read more before it stopped.
        let (pair, started, emitter) = try make(heldBytes: 500, pausable: false)
        pair.transport.setCongested(true)
        let argument = IPCValue.vsBuffer([UInt8](repeating: 7, count: 600))
        for id: UInt64 in 0..<3 {
            if isCall {
                pair.call(id, "c", "x", argument)
            } else {
                pair.listen(id, "c", IPCString("on" + String(repeating: "X", count: 600)))
            }
        }
        #expect(!pair.transport.isDelivering)
        for id: UInt64 in 0..<3 { pair.cancel(id) }
        pair.transport.setCongested(false)
        try await eventually("it reads again") { pair.transport.isDelivering }
        #expect(started.entries.isEmpty)
        #expect(emitter.listenerCount == 0)
        pair.call(9, "c", "x", "alive")
        try await eventually("it serves again") { started.entries == ["alive"] }
        let canceled: IPCValue = ["message": "Canceled", "name": "Canceled"]
        let expected: [DecodedMessage] = isCall ? (0..<3).map { .failure(id: $0, error: canceled) } : []
        #expect(
            try pair.sent.dropLast() == expected[...],
            "a cancelled call is answered, so that its caller can forget it"
        )
    }

    @Test("A request that is larger than what may be held does not stop the reading for good")
    func oneLargeRequest() async throws {
        for _ in 0..<50 {
            let (pair, started, _) = try make(heldBytes: 100)
            pair.transport.setCongested(true)
            pair.call(0, "c", "x", 0)
            // The peer reads while the next request comes: stop and restart must not change places.
            let reader = Task.detached { pair.transport.setCongested(false) }
            pair.call(1, "c", "x", .vsBuffer([UInt8](repeating: 7, count: 1_000)))
            await reader.value
            try await eventually("both are served") { started.count == 2 }
            try await eventually("it reads") { pair.transport.isDelivering }
        }
    }

    @Test("Small requests that are withdrawn at once cost something, too")
    func cheapFlood() async throws {
        let (pair, _, _) = try make(heldBytes: 10_000)
        pair.transport.setCongested(true)
        for id: UInt64 in 0..<100 {
            pair.listen(id)
            pair.unlisten(id)
        }
        #expect(!pair.transport.isDelivering)
        pair.transport.setCongested(false)
        try await eventually("it reads again") { pair.transport.isDelivering }
    }

    @Test("Cancels are heeded while requests are held")
    func cancelsPass() async throws {
        let gate = Gate()
        let told = Log<Bool>()
        let channel = FunctionChannel<String>.calls { _, _, _ in
            await gate.waitUntilCancelled()
            told.append(Task.isCancelled)
            return .undefined
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        pair.call(0)
        pair.transport.setCongested(true)
        pair.call(1)
        pair.cancel(0)
        try await eventually("the handler is told") { told.entries == [true] }
    }

    @Test("What is held is dropped when the peer leaves")
    func left() async throws {
        let (pair, started, _) = try make()
        let observed = Observed(try #require(pair.answering))
        pair.transport.setCongested(true)
        pair.call(0)
        pair.transport.endFromPeer(.lost)
        try await eventually("the connection is released") { observed.isGone }
        #expect(started.entries.isEmpty)
    }

    @Test("A duplicate number among what is held ends the connection")
    func duplicates() async throws {
        let (pair, _, _) = try make()
        pair.transport.setCongested(true)
        pair.listen(0)
        pair.listen(0)
        pair.call(1)
        pair.transport.setCongested(false)
        try await eventually("it is closed") { pair.transport.end?.code == .malformed }
        try await eventually("it is gone") { pair.server.connections.isEmpty }
        #expect(try pair.sent.isEmpty)
    }

    @Test("Calls wait until the peer reads")
    func callsWait() async throws {
        let pair = try ScriptedClient()
        pair.transport.setCongested(true)
        let calls = (0..<10).map { _ in pair.start("x") }
        try await eventually("one drains for all") { pair.transport.drainerCount == 1 }
        #expect(try pair.sent.isEmpty)
        pair.transport.setCongested(false)
        try await eventually("all are sent") { try pair.sent.count == 10 }
        pair.client.dispose()
        for call in calls { #expect(await call.value == .ended(.disposed)) }
    }

    @Test("Calls that wait for a peer to read fail when the connection ends")
    func callsEnd() async throws {
        let pair = try ScriptedClient()
        pair.transport.setCongested(true)
        let call = pair.start("x")
        try await eventually("it waits") { pair.transport.drainerCount == 1 }
        pair.transport.endFromPeer(.lost)
        #expect(await call.value == .ended(.lost))
    }

    @Test("A sequence is asked for no more while the peer does not read")
    func sequence() async throws {
        let asked = Log<Int>()
        let transport = Log<ScriptedTransport>()
        let numbers = AsyncStream<IPCValue>(unfolding: {
            asked.append(0)
            if asked.count % 50 == 0 { transport.entries[0].setCongested(true) }
            return IPCValue(asked.count)
        })
        let pair = try ScriptedServer(channels: ["c": .event(Event(numbers))])
        transport.append(pair.transport)
        pair.listen(0)
        for round in 1...3 {
            try await eventually("the sequence waits") { pair.transport.drainerCount == 1 }
            #expect(asked.count == round * 50)
            if round == 3 { pair.unlisten(0) }
            pair.transport.setCongested(false)
        }
        try await eventually("the sequence is left") {
            pair.answering?.openCount == 0 && pair.transport.drainerCount == 0
        }
        #expect(try pair.sent == (1...150).map { .event(id: 0, payload: IPCValue($0)) })
    }
}
