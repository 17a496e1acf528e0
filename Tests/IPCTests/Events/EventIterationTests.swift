// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

@Suite("Iterating over an event")
struct EventIterationTests {
    private struct Failure: Error {}

    @Test("Payloads come in order, those that were fired before it is asked included, and then the end")
    func order() async throws {
        let emitter = EventEmitter<Int>()
        var iterator = emitter.event.makeAsyncIterator()
        for number in 0..<1_000 { emitter.fire(number) }
        emitter.finish()
        for number in 0..<1_000 { #expect(try await iterator.next() == number) }
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil)
    }

    @Test("A failure comes after what waited, once")
    func failure() async throws {
        let emitter = EventEmitter<Int>()
        var iterator = emitter.event.makeAsyncIterator()
        emitter.fire(1)
        emitter.finish(throwing: Failure())
        #expect(try await iterator.next() == 1)
        await #expect(throws: Failure.self) { try await iterator.next() }
        #expect(try await iterator.next() == nil)
    }

    @Test("One payload too many ends it with an error after those that waited, and stops listening")
    func overflow() async throws {
        let emitter = EventEmitter<Int>()
        var iterator = emitter.event.buffering(3).makeAsyncIterator()
        for number in 0..<10 { emitter.fire(number) }
        for number in 0..<3 { #expect(try await iterator.next() == number) }
        await #expect(throws: EventOverflow.self) { try await iterator.next() }
        #expect(emitter.listenerCount == 0)
        #expect(try await iterator.next() == nil)
    }

    @Test("It ends when the task is cancelled, before or while it waits")
    func cancelled() async throws {
        let emitter = EventEmitter<Int>()
        let waiting = Task.immediate {
            for try await _ in emitter.event {}
            return "ended"
        }
        #expect(emitter.listenerCount == 1)
        waiting.cancel()
        #expect(try await waiting.value == "ended")
        let before = Task.immediate {
            withUnsafeCurrentTask { $0?.cancel() }
            for try await _ in emitter.event {}
            return "ended"
        }
        #expect(try await before.value == "ended")
        #expect(emitter.listenerCount == 0)
    }

    @Test("Leaving the loop detaches the listener")
    func leaves() async throws {
        let emitter = EventEmitter<Int>()
        let task = Task.immediate {
            for try await payload in emitter.event where payload == 2 { break }
        }
        emitter.fire(1)
        emitter.fire(2)
        try await task.value
        #expect(emitter.listenerCount == 0)
    }

    @Test("Nothing is lost between one thread that fires and one task that takes")
    func handOver() async throws {
        let emitter = EventEmitter<Int>()
        var iterator = emitter.event.buffering(100_000).makeAsyncIterator()
        let firing = Task.detached {
            for number in 0..<50_000 { emitter.fire(number) }
            emitter.finish()
        }
        var expected = 0
        while let payload = try await iterator.next() {
            if payload != expected { break }
            expected += 1
        }
        #expect(expected == 50_000)
        await firing.value
    }

    @Test("A cancel and a payload at the same time leave nobody waiting")
    func cancelRaces() async throws {
        for _ in 0..<500 {
            let emitter = EventEmitter<Int>()
            let task = Task.detached { () -> Int in
                var count = 0
                for try await _ in emitter.event { count += 1 }
                return count
            }
            let firing = Task.detached { emitter.fire(1) }
            task.cancel()
            #expect(try await task.value <= 1)
            await firing.value
        }
    }

    @Test("A mapped event ends with the first error, and hears nothing after it")
    func map() async throws {
        let emitter = EventEmitter<Int>()
        let mapped = emitter.event.map { number in
            if number == 2 { throw Failure() }
            return "\(number)"
        }
        let heard = Log<String>()
        let sink = EventSink<String>(receive: { heard.append($0) }, end: { heard.append("end \($0 is Failure)") })
        let subscription = mapped.attach(sink)
        var iterator = mapped.makeAsyncIterator()
        for number in 1..<5 { emitter.fire(number) }
        #expect(heard.entries == ["1", "end true"])
        #expect(emitter.listenerCount == 0, "nobody listens any more")
        #expect(try await iterator.next() == "1")
        await #expect(throws: Failure.self) { try await iterator.next() }
        subscription.cancel()
        let again = mapped.subscribe { heard.append($0) }
        emitter.fire(7)
        emitter.finish()
        #expect(heard.entries.last == "7")
        again.cancel()
    }

    @Test("A mapped event lets go of its emitter and its listener")
    func mapReleases() async throws {
        let emitter = EventEmitter<Int>()
        let log = Log<Int>()
        let observed = (Observed(emitter), Observed(log))
        do {
            let subscription = emitter.event.map { $0 }.subscribe { log.append($0) }
            emitter.fire(1)
            withExtendedLifetime(subscription) {}
        }
        #expect(emitter.listenerCount == 0)
        #expect(!observed.0.isGone && !observed.1.isGone)
    }
}
