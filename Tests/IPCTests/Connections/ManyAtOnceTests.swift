// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Much at once")
struct ManyAtOnceTests {
    @Test("Ten thousand calls in flight are all answered, each with its own result")
    func calls() async throws {
        let pair = try ServedPair()
        let gate = Gate()
        pair.server.registerChannel(
            "slow",
            FunctionChannel<String>.calls { _, _, argument in
                await gate.wait()
                return argument
            }
        )
        let channel = pair.client.channel("slow")
        let calls = (0..<10_000).map { number in
            Task.immediate { try await channel.call("x", IPCValue(number)) == IPCValue(number) }
        }
        try await eventually("all are in flight") { gate.waiterCount == 10_000 }
        #expect(pair.client.connection.channelClient.outstandingCount == 10_000)
        gate.open()
        var right = 0
        for call in calls {
            let isRight = try await call.value
            if isRight { right += 1 }
        }
        #expect(right == 10_000)
        #expect(pair.client.connection.channelClient.outstandingCount == 0)
        #expect(pair.server.connections[0].channelServer.openCount == 0)
    }

    @Test("Half of ten thousand calls are cancelled, and the others are answered")
    func cancels() async throws {
        let pair = try ServedPair()
        let channel = pair.client.channel("echo")
        try await pair.client.waitUntilReady()
        let calls = (0..<5_000).map { number in
            (
                Task.immediate { await CallOutcome { try await channel.call("never") } },
                Task.immediate { await CallOutcome { try await channel.call("echo", IPCValue(number)) } }
            )
        }
        for (call, _) in calls { call.cancel() }
        var right = 0
        for (number, (cancelled, answered)) in calls.enumerated() {
            let outcomes = (await cancelled.value, await answered.value)
            if outcomes == (.cancelled, .success(IPCValue(number))) { right += 1 }
        }
        #expect(right == 5_000)
        try await eventually("all late answers have come") {
            pair.client.connection.channelClient.outstandingCount == 0
        }
    }

    @Test("A thousand listeners of one event share one subscription, of a thousand events have one each")
    func listeners() async throws {
        let pair = try ServedPair()
        let heard = Log<Int>()
        let channel = pair.client.channel("echo")
        let event = channel.listen("onTick")
        var subscriptions = (0..<1_000).map { number in event.subscribe { _ in heard.append(number) } }
        _ = try await channel.call("tick", 1)
        #expect(heard.entries == Array(0..<1_000))
        #expect(pair.channel.ticks.listenerCount == 1)
        for subscription in subscriptions { subscription.cancel() }
        _ = try await channel.call("tick", 2)
        #expect(heard.count == 1_000)
        #expect(pair.channel.ticks.listenerCount == 0)

        subscriptions = (0..<1_000).map { number in channel.listen("onTick").subscribe { _ in heard.append(number) } }
        _ = try await channel.call("tick", 3)
        #expect(heard.count == 2_000)
        #expect(pair.channel.ticks.listenerCount == 1_000)
        subscriptions = []
        _ = try await channel.call("tick", 4)
        #expect(heard.count == 2_000)
        #expect(pair.channel.ticks.listenerCount == 0)
        #expect(pair.server.connections[0].channelServer.openCount == 0)
    }

    @Test("Megabytes go both ways through a pair without piling up")
    func volume() async throws {
        let pair = try ServedPair()
        let channel = pair.client.channel("echo")
        let payload = IPCValue.vsBuffer([UInt8](repeating: 7, count: 300_000))
        let calls = (0..<100).map { _ in Task { try await channel.call("echo", payload) == payload } }
        for call in calls {
            let isSame = try await call.value
            #expect(isSame)
        }
    }

    @Test("Both sides call and listen to each other from many tasks at once")
    func everything() async throws {
        let pair = try ServedPair()
        let emitter = EventEmitter<IPCValue>()
        var back = FunctionChannel<String>.event(emitter.event)
        back.onCall = { _, _, argument in
            emitter.fire(argument)
            return argument
        }
        pair.client.registerChannel("back", back)
        try await pair.client.waitUntilReady()
        let there = pair.client.channel("echo")
        let here = pair.server.connections[0].channel("back")
        let right = Log<Bool>()
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    for round in 0..<50 {
                        let value = IPCValue(number * 1_000 + round)
                        let (channel, command): (any Channel, IPCString) =
                            round % 2 == 0 ? (there, "tick") : (here, "x")
                        var events = channel.listen(round % 2 == 0 ? "onTick" : "onX").makeAsyncIterator()
                        let answer = try await channel.call(command, value)
                        var hasHeard = false
                        while !hasHeard, let payload = try await events.next() { hasHeard = payload == value }
                        right.append(hasHeard && (answer == value || answer == "ticked"))
                        let cancelled = Task { try await there.call("never") }
                        cancelled.cancel()
                        _ = await cancelled.result
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(right.entries == [Bool](repeating: true, count: 1_000))
        try await eventually("nothing is open") {
            pair.client.connection.channelClient.outstandingCount == 0
                && pair.server.connections[0].channelClient.outstandingCount == 0
        }
    }
}
