// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

@Suite("An event made from a sequence")
struct EventSequenceTests {
    private struct Failure: Error {}

    /// Counts for ever, without ever waiting.
    private struct Counter: AsyncSequence, Sendable {
        struct AsyncIterator: AsyncIteratorProtocol {
            let asked: Log<Int>
            var number = 0

            mutating func next() async -> Int? {
                number += 1
                asked.append(number)
                return number
            }
        }

        let asked = Log<Int>()

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(asked: asked) }
    }

    @Test("Every listener gets its own run of it, and its end")
    func runs() async throws {
        let event = Event(
            AsyncStream { continuation in
                for number in 0..<3 { continuation.yield(number) }
                continuation.finish()
            }
        )
        var heard: [Int] = []
        for try await number in event { heard.append(number) }
        #expect(heard == [0, 1, 2])
    }

    @Test("Its failure is the failure of the event")
    func failure() async throws {
        let event = Event(
            AsyncThrowingStream<Int, any Error> { continuation in
                continuation.yield(1)
                continuation.finish(throwing: Failure())
            }
        )
        var iterator = event.makeAsyncIterator()
        #expect(try await iterator.next() == 1)
        await #expect(throws: Failure.self) { try await iterator.next() }
    }

    @Test("One that never waits does not keep the thread of whoever listens, and ends with the subscription")
    func endless() async throws {
        let counter = Counter()
        let heard = Log<Int>()
        let subscription = Event(counter).subscribe { heard.append($0) }
        subscription.cancel()
        try await eventually("it stops") {
            let before = counter.asked.count
            letTimePass(milliseconds: 5)
            return counter.asked.count == before
        }
        #expect(heard.entries.first == 1)
    }

    @Test("It is asked for no more than an iteration buffers, however slow that is")
    func slowIteration() async throws {
        let counter = Counter()
        var iterator = Event(counter).buffering(10).makeAsyncIterator()
        for expected in 1...100 {
            #expect(try await iterator.next() == expected)
            #expect(counter.asked.count <= expected + 11)
        }
    }

    @Test("A sequence that waits for room is let go when the iteration is left")
    func leftWhileFull() async throws {
        let counter = Counter()
        let observed = Observed(counter.asked)
        let task = Task { [counter] in
            var iterator = Event(counter).buffering(4).makeAsyncIterator()
            _ = try await iterator.next()
            try await eventually("the buffer fills up") { counter.asked.count >= 4 }
        }
        try await task.value
        _ = consume counter
        _ = consume task
        try await eventually("the sequence is released") { observed.isGone }
    }

    @Test("No end is told to a listener that has left")
    func cancelled() async throws {
        let ends = Log<Bool>()
        let released = Log<Bool>()
        let stream = AsyncThrowingStream<Int, any Error> { continuation in
            continuation.onTermination = { _ in released.append(true) }
        }
        let subscription = Event(stream).attach(EventSink(receive: { _ in }, end: { _ in ends.append(true) }))
        subscription.cancel()
        try await eventually("the sequence is stopped") { released.count == 1 }
        letTimePass(milliseconds: 2)
        #expect(ends.entries.isEmpty)
    }

    @Test("An event that never fires ends only when it is left")
    func never() async throws {
        let task = Task.immediate {
            for try await _ in Event<Int>.never {}
            return true
        }
        task.cancel()
        #expect(try await task.value)
    }
}
