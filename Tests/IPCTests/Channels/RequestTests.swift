// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Requests of a client")
struct RequestTests {
    @Test("Numbers go up by one for every call and every event object, also for those that never leave")
    func gaps() async throws {
        let pair = try ScriptedClient()
        let first = pair.start("a")
        _ = pair.client.channel("c").listen("onUnused")
        let cancelled = Task.immediate {
            withUnsafeCurrentTask { $0?.cancel() }
            return await CallOutcome { try await pair.client.channel("c").call("b") }
        }
        #expect(await cancelled.value == .cancelled)
        let last = pair.start("d")
        #expect(
            try pair.sent == [
                .call(id: 0, channel: "c", command: "a", argument: .undefined),
                .call(id: 3, channel: "c", command: "d", argument: .undefined),
            ]
        )
        pair.transport.deliver(IPCMessage.success(id: 3, result: "d"))
        pair.transport.deliver(IPCMessage.success(id: 0, result: "a"))
        #expect(await first.value == .success("a"))
        #expect(await last.value == .success("d"))
    }

    @Test("An event object that is listened to again uses its number again, another object gets another")
    func reuse() throws {
        let pair = try ScriptedClient()
        let event = pair.client.channel("c").listen("onX", 1)
        let first = event.subscribe { _ in }
        let second = event.subscribe { _ in }
        first.cancel()
        second.cancel()
        second.cancel()
        let again = event.subscribe { _ in }
        let other = pair.client.channel("c").listen("onX", 1).subscribe { _ in }
        #expect(
            try pair.sent == [
                .listen(id: 0, channel: "c", event: "onX", argument: 1), .unlisten(id: 0),
                .listen(id: 0, channel: "c", event: "onX", argument: 1),
                .listen(id: 1, channel: "c", event: "onX", argument: 1),
            ]
        )
        #expect(pair.asking.outstandingCount == 2)
        again.cancel()
        other.cancel()
        #expect(pair.asking.outstandingCount == 0)
    }

    @Test("A subscription that is released unsubscribes")
    func released() throws {
        let pair = try ScriptedClient()
        do {
            let subscription = pair.client.channel("c").listen("onX").subscribe { _ in }
            #expect(try pair.sent.count == 1)
            withExtendedLifetime(subscription) {}
        }
        #expect(try pair.sent.last == .unlisten(id: 0))
    }

    @Test(
        "Nothing but context and Initialize leaves before the server is ready; then requests go in the order they were made"
    )
    func heldBack() async throws {
        let pair = try ScriptedClient(ready: false)
        let calls = (0..<3).map { pair.start("x", IPCValue($0)) }
        let subscription = pair.client.channel("c").listen("onX").subscribe { _ in }
        let last = pair.start("y")
        #expect(pair.transport.sent == [IPCMessage.context("me"), IPCMessage.initialize])
        #expect(!pair.asking.isReady)
        pair.transport.deliver(IPCMessage.initialize)
        #expect(pair.asking.isReady)
        let after = pair.start("z")
        let expected: [DecodedMessage] = [
            .call(id: 0, channel: "c", command: "x", argument: 0),
            .call(id: 1, channel: "c", command: "x", argument: 1),
            .call(id: 2, channel: "c", command: "x", argument: 2),
            .listen(id: 3, channel: "c", event: "onX", argument: .undefined),
            .call(id: 4, channel: "c", command: "y", argument: .undefined),
            .call(id: 5, channel: "c", command: "z", argument: .undefined),
        ]
        #expect(try pair.sent == expected)
        pair.transport.deliver(IPCMessage.initialize)
        #expect(try pair.sent == expected, "a repeated Initialize is harmless")
        for id: UInt64 in [5, 4, 2, 1, 0] { pair.transport.deliver(IPCMessage.success(id: id)) }
        for call in calls + [last, after] { #expect(await call.value == .success(.undefined)) }
        subscription.cancel()
    }

    @Test("What is withdrawn before the server is ready is never sent, and what is made again goes to the end")
    func withdrawn() async throws {
        let pair = try ScriptedClient(ready: false)
        let event = pair.client.channel("c").listen("onX")
        event.subscribe { _ in }.cancel()
        let call = pair.start("never")
        call.cancel()
        #expect(await call.value == .cancelled)
        let kept = pair.start("kept")
        let again = event.subscribe { _ in }
        pair.transport.deliver(IPCMessage.initialize)
        #expect(
            try pair.sent == [
                .call(id: 2, channel: "c", command: "kept", argument: .undefined),
                .listen(id: 0, channel: "c", event: "onX", argument: .undefined),
            ]
        )
        kept.cancel()
        again.cancel()
    }

    @Test("Ten thousand requests are withdrawn before the server is ready without trouble")
    func manyWithdrawn() async throws {
        let pair = try ScriptedClient(ready: false)
        let calls = (0..<10_000).map { pair.start("x", IPCValue($0)) }
        for call in calls.reversed().dropLast() { call.cancel() }
        for call in calls.dropFirst() { #expect(await call.value == .cancelled) }
        pair.transport.deliver(IPCMessage.initialize)
        #expect(try pair.sent == [.call(id: 0, channel: "c", command: "x", argument: 0)])
        calls[0].cancel()
    }

    @Test("Whoever waits for a server that says nothing can be cancelled")
    func readiness() async throws {
        let pair = try ScriptedClient(ready: false)
        let waiting = Task.immediate { try await pair.client.waitUntilReady() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let patient = Task.immediate { try await pair.client.waitUntilReady() }
        pair.transport.deliver(IPCMessage.initialize)
        try await patient.value
        try await pair.client.waitUntilReady()
        pair.transport.endFromPeer(.closed)
        await #expect(throws: ConnectionEnd.closed) { try await pair.client.waitUntilReady() }
    }

    @Test("Answers nobody waits for, events of calls and requests to nobody are ignored")
    func stray() async throws {
        let pair = try ScriptedClient()
        let call = pair.start("x")
        pair.transport.deliver(IPCMessage.success(id: 77, result: 1))
        pair.transport.deliver(IPCMessage.event(id: 0, payload: 1))
        pair.transport.deliver(IPCMessage.cancel(id: 5))
        pair.transport.deliver(IPCMessage.success(id: 0, result: 2))
        pair.transport.deliver(IPCMessage.success(id: 0, result: 3))
        #expect(await call.value == .success(2))
        #expect(pair.client.connection.end == nil)
        #expect(pair.asking.outstandingCount == 0)
    }

    @Test("Any answer with the number of a subscription is an event")
    func answersAsEvents() throws {
        let pair = try ScriptedClient()
        let heard = Log<IPCValue>()
        let subscription = pair.client.channel("c").listen("onX").subscribe { heard.append($0) }
        pair.transport.deliver(IPCMessage.event(id: 0, payload: 1))
        pair.transport.deliver(IPCMessage.success(id: 0, result: 2))
        pair.transport.deliver(IPCMessage.failureValue(id: 0, value: 3))
        pair.transport.deliver(IPCMessage.failure(id: 0, error: 4))
        subscription.cancel()
        pair.transport.deliver(IPCMessage.event(id: 0, payload: 5))
        #expect(heard.entries == [1, 2, 3, 4])
    }

    @Test("A failed call throws what the server said, whatever shape that has")
    func failures() async throws {
        let pair = try ScriptedClient()
        let bodies: [IPCValue] = [
            ["message": "m", "name": "N", "stack": ["a", "b"]], ["message": "m", "name": "N", "stack": "s"],
            ["message": "m"], [:], "text", 5, [1], .undefined, .null,
        ]
        let calls = bodies.map { _ in pair.start("x") }
        for (id, body) in bodies.enumerated() {
            pair.transport.deliver(IPCMessage.failure(id: UInt64(id), error: body))
        }
        let empty = RemoteError(name: nil, message: "")
        let expected = [
            RemoteError(name: "N", message: "m", stack: "a\nb"), RemoteError(name: "N", message: "m", stack: "s"),
            RemoteError(name: nil, message: "m"), empty, empty, empty, empty, empty, empty,
        ]
        for (call, error) in zip(calls, expected) { #expect(await call.value == .error(error)) }
    }
}
