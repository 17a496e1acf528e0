// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

@Suite("Events of a generated service")
struct GeneratedEventTests {
    private let service = Everything()
    private let channel: Loopback<EverythingServiceChannel<String>>
    private let client: any EverythingService

    init() {
        channel = Loopback(EverythingServiceChannel(service))
        client = EverythingServiceClient(channel)
    }

    @Test("are listened to by name, without an argument")
    func event() {
        let listener = Listener(client.onDidChange)
        service.changes.fire("a")
        service.changes.fire("b")
        #expect(listener.payloads == ["a", "b"])
        #expect(channel.passed == [.listen("onDidChange", .undefined)])
        listener.stop()
        #expect(service.changes.listenerCount == 0)
    }

    @Test("are not kept for whoever comes later")
    func unbuffered() {
        service.changes.fire("before")
        let listener = Listener(client.onDidChange)
        service.changes.fire("after")
        #expect(listener.payloads == ["after"])
    }

    @Test("that depend on an argument send it as it is, not in an array")
    func dynamicEvent() {
        let listener = Listener(client.onDynamicChange("four"))
        service.numbers.fire(10)
        #expect(listener.payloads == [40])
        #expect(channel.passed == [.listen("onDynamicChange", "four")])
    }

    @Test("may carry nothing")
    func void() async throws {
        let listener = Listener(client.onDidClear.map { 1 })
        service.clearances.fire()
        #expect(listener.payloads == [1])
        let raw = Listener(channel.listen("onDidClear"))
        service.clearances.fire()
        #expect(raw.payloads == [.undefined])
        var ticks = 0
        for await _ in client.onDynamicTick(every: 3) { ticks += 1 }
        #expect(ticks == 3)
    }

    @Test("may be streams")
    func streams() async throws {
        var numbers = client.onStream.makeAsyncIterator()
        // Both sides listen by now, the server's in a task that Event starts at once.
        service.numbers.fire(1)
        #expect(await numbers.next() == 1)
        var throwing = client.onThrowingStream.makeAsyncIterator()
        service.numbers.fire(2)
        #expect(try await throwing.next() == 2)
    }

    @Test("may be sequences of any type")
    func sequences() async throws {
        let place = Place(path: "/", line: nil)
        let sequence = client.onSequence
        let listener = Listener(try #require(sequence as? Event<Place>))
        service.places.fire(place)
        #expect(listener.payloads == [place])
        let stream = try #require(client.onInfallible as? AsyncStream<Int>)
        var iterator = stream.makeAsyncIterator()
        service.numbers.fire(7)
        #expect(await iterator.next() == 7)
    }

    @Test("end with an error when a payload is not what was expected")
    func badPayload() async throws {
        let table = ServiceTable<String>().onListen("onDynamicChange") { [service] _, _ in
            service.changes.event.map { .init($0) }
        }
        let listener = Listener(EverythingServiceClient(Loopback(table)).onDynamicChange("x"))
        service.changes.fire("not a number")
        #expect(listener.payloads == [])
        #expect(listener.error is DecodingError)
    }
}

@Suite("A stream made of an event")
struct EventStreamTests {
    private let emitter = EventEmitter<Int>()

    @Test("listens at once, and until it is released")
    func listening() async throws {
        do {
            let stream = AsyncStream(emitter.event)
            let throwing = AsyncThrowingStream(emitter.event)
            #expect(emitter.listenerCount == 2)
            emitter.fire(1)
            emitter.finish()
            #expect(await stream.reduce(into: []) { $0.append($1) } == [1])
            #expect(try await throwing.reduce(into: []) { $0.append($1) } == [1])
        }
        #expect(emitter.listenerCount == 0)
    }

    @Test("is detached when it is released without being iterated")
    func release() {
        do {
            let streams = (AsyncStream(emitter.event), AsyncThrowingStream(emitter.event))
            #expect(emitter.listenerCount == 2)
            _ = streams
        }
        #expect(emitter.listenerCount == 0)
    }

    @Test("ends with the error of the event if it can")
    func failure() async {
        let stream = AsyncStream(emitter.event)
        let throwing = AsyncThrowingStream(emitter.event)
        emitter.fire(1)
        emitter.finish(throwing: RemoteError.canceled)
        #expect(await stream.reduce(0, +) == 1)
        await #expect(throws: RemoteError.canceled) { try await throwing.reduce(0, +) }
    }

    @Test("ends when nobody takes what it holds")
    func overflow() async {
        let limit = Event<Int>.defaultBufferLimit
        let stream = AsyncStream(emitter.event)
        let throwing = AsyncThrowingStream(emitter.event)
        for _ in 0...limit { emitter.fire(1) }
        #expect(emitter.listenerCount == 0)
        #expect(await stream.reduce(0, +) == limit)
        let error = await #expect(throws: EventOverflow.self) { try await throwing.reduce(0, +) }
        #expect(error?.limit == limit)
    }
}
