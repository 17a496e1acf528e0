// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Channels that are not known yet")
struct DelayedChannelTests {
    private struct Lost: Error {}

    @Test("Calls and subscriptions wait and are sent in their order when the channel is known")
    func waits() async throws {
        let pair = try ScriptedClient()
        let gate = Gate()
        let channel = DelayedChannel {
            await gate.wait()
            return pair.client.channel("c")
        }
        let heard = Log<IPCValue>()
        let event = channel.listen("onX")
        let first = event.subscribe { heard.append($0) }
        let second = event.subscribe { heard.append($0) }
        let call = Task.immediate { await CallOutcome { try await channel.call("x") } }
        #expect(try pair.sent.isEmpty)
        gate.open()
        try await eventually("both are sent") { try pair.sent.count == 2 }
        #expect(
            try pair.sent == [
                .listen(id: 0, channel: "c", event: "onX", argument: .undefined),
                .call(id: 1, channel: "c", command: "x", argument: .undefined),
            ]
        )
        pair.transport.deliver(IPCMessage.event(id: 0, payload: 1))
        pair.transport.deliver(IPCMessage.success(id: 1))
        #expect(await call.value == .success(.undefined))
        #expect(heard.entries == [1, 1])
        first.cancel()
        second.cancel()
        #expect(try pair.sent.last == .unlisten(id: 0))
        let third = event.subscribe { _ in }
        #expect(try pair.sent.last == .listen(id: 0, channel: "c", event: "onX", argument: .undefined))
        third.cancel()
    }

    @Test("A listener that leaves before the channel is known is forgotten, and never told of an end")
    func leavesBefore() async throws {
        let pair = try ScriptedClient()
        let ended = Log<Bool>()
        for fails in [true, false] {
            let gate = Gate()
            let channel = DelayedChannel {
                await gate.wait()
                if fails { throw Lost() }
                return pair.client.channel("c")
            }
            let event = channel.listen("onX")
            let subscription = event.attach(EventSink(receive: { _ in }, end: { _ in ended.append(fails) }))
            subscription.cancel()
            gate.open()
            _ = await CallOutcome {
                let call = Task.immediate { try await channel.call("x") }
                if !fails { try await eventually("the call is sent") { try pair.sent.count == 1 } }
                if !fails { call.cancel() }
                return try await call.value
            }
        }
        #expect(ended.entries.isEmpty)
        #expect(try pair.sent.allSatisfy { if case .listen = $0 { false } else { true } })
    }

    @Test("When the channel cannot be found, calls fail and events end with the reason")
    func fails() async throws {
        let gate = Gate()
        let channel = DelayedChannel {
            await gate.wait()
            throw Lost()
        }
        let before = Task.immediate { try await channel.call("x") }
        var events = channel.listen("onX").makeAsyncIterator()
        gate.open()
        await #expect(throws: Lost.self) { try await before.value }
        await #expect(throws: Lost.self) { try await events.next() }
        await #expect(throws: Lost.self) { try await channel.call("x") }
        var late = channel.listen("onX").makeAsyncIterator()
        await #expect(throws: Lost.self) { try await late.next() }
    }

    @Test("A call that waits for its channel can be cancelled")
    func cancelled() async throws {
        let gate = Gate()
        defer { gate.open() }
        let channel = DelayedChannel {
            await gate.wait()
            throw Lost()
        }
        let call = Task.immediate { await CallOutcome { try await channel.call("x") } }
        call.cancel()
        #expect(await call.value == .cancelled)
    }

    @Test("The search is given up when nobody refers to the channel any more")
    func givenUp() async throws {
        let gate = Gate()
        let givenUp = Log<Bool>()
        let find: @Sendable () async throws -> any Channel = {
            await gate.waitUntilCancelled()
            givenUp.append(Task.isCancelled)
            throw CancellationError()
        }
        do {
            let channel = DelayedChannel(find)
            withExtendedLifetime(channel) {}
        }
        try await eventually("the first is given up") { givenUp.entries == [true] }
        let subscription = DelayedChannel(find).listen("onX").subscribe { _ in }
        letTimePass(milliseconds: 5)
        #expect(givenUp.count == 1, "somebody still listens")
        subscription.cancel()
        try await eventually("the second is given up") { givenUp.entries == [true, true] }
    }

    @Test("A next-tick channel puts the first moment off and is direct afterwards")
    func nextTick() async throws {
        let pair = try ScriptedClient()
        let channel = NextTickChannel(pair.client.channel("c"))
        let subscription = channel.listen("onX").subscribe { _ in }
        let call = Task.immediate { await CallOutcome { try await channel.call("x") } }
        try await eventually("both are sent") { try pair.sent.count == 2 }
        #expect(
            try pair.sent == [
                .listen(id: 0, channel: "c", event: "onX", argument: .undefined),
                .call(id: 1, channel: "c", command: "x", argument: .undefined),
            ]
        )
        let direct = Task.immediate { await CallOutcome { try await channel.call("y") } }
        #expect(try pair.sent.last == .call(id: 2, channel: "c", command: "y", argument: .undefined))
        subscription.cancel()
        pair.client.dispose()
        #expect(await call.value == .ended(.disposed))
        #expect(await direct.value == .ended(.disposed))
    }
}
