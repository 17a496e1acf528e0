// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Synchronization
import Testing

@Suite("An event emitter")
struct EventEmitterTests {
    private struct Failure: Error, Equatable {}

    @Test("Listeners hear payloads in the order in which they were attached, until they leave")
    func fires() {
        let emitter = EventEmitter<Int>()
        let log = Log<String>()
        let first = emitter.event.subscribe { log.append("first \($0)") }
        let second = emitter.event.subscribe { log.append("second \($0)") }
        emitter.fire(1)
        first.cancel()
        emitter.fire(2)
        second.cancel()
        emitter.fire(3)
        #expect(log.entries == ["first 1", "second 1", "second 2"])
        #expect(emitter.listenerCount == 0)
    }

    @Test("The hooks alternate: the first listener, the last one gone, also at the end")
    func hooks() {
        let log = Log<String>()
        let emitter = EventEmitter<Int>(
            onFirstListener: { log.append("on") },
            onLastListenerGone: { log.append("off") }
        )
        let first = emitter.event.subscribe { _ in }
        let second = emitter.event.subscribe { _ in }
        first.cancel()
        second.cancel()
        let third = emitter.event.subscribe { _ in }
        emitter.finish()
        emitter.finish()
        third.cancel()
        #expect(log.entries == ["on", "off", "on", "off"])
    }

    @Test("A listener may cancel others while it is called, which hear nothing more, and attach new ones, which wait")
    func reentrant() {
        let emitter = EventEmitter<Int>()
        let log = Log<String>()
        let others = Mutex<[EventSubscription]>([])
        let first = emitter.event.subscribe { payload in
            log.append("first \(payload)")
            let cancelled = others.withLock { list in
                defer { list = [] }
                return list
            }
            for subscription in cancelled { subscription.cancel() }
            let late = emitter.event.subscribe { log.append("attached at \(payload) hears \($0)") }
            others.withLock { $0.append(late) }
        }
        emitter.fire(1)
        let last = emitter.event.subscribe { log.append("last \($0)") }
        emitter.fire(2)
        #expect(log.entries == ["first 1", "first 2", "last 2"])
        first.cancel()
        emitter.fire(3)
        #expect(log.entries.dropFirst(3) == ["last 3", "attached at 2 hears 3"])
        last.cancel()
        others.withLock { $0 }.forEach { $0.cancel() }
        #expect(emitter.listenerCount == 0)
    }

    @Test("A listener that cancels itself while it is called hears nothing more")
    func cancelsItself() {
        let emitter = EventEmitter<Int>()
        let log = Log<Int>()
        let own = Mutex<EventSubscription?>(nil)
        let subscription = emitter.event.subscribe { payload in
            log.append(payload)
            own.withLock { $0 }?.cancel()
        }
        own.withLock { $0 = subscription }
        emitter.fire(1)
        emitter.fire(2)
        #expect(log.entries == [1])
        own.withLock { $0 = nil }
    }

    @Test("A listener that is released may take other subscriptions of the same emitter with it")
    func releasedInside() {
        final class Owner: Sendable {
            let inner: EventSubscription
            init(_ inner: EventSubscription) { self.inner = inner }
        }
        let emitter = EventEmitter<Int>()
        let outer: EventSubscription
        do {
            let owner = Owner(emitter.event.subscribe { _ in })
            outer = emitter.event.subscribe { _ in withExtendedLifetime(owner) {} }
        }
        #expect(emitter.listenerCount == 2)
        outer.cancel()
        #expect(emitter.listenerCount == 0)
    }

    @Test("An end is told once to all who listen and to all who come later, with its reason")
    func finish() async throws {
        let emitter = EventEmitter<Int>()
        let ends = Log<Bool>()
        let sink = EventSink<Int>(receive: { _ in }, end: { ends.append($0 is Failure) })
        let first = emitter.event.attach(sink)
        emitter.finish(throwing: Failure())
        emitter.finish()
        emitter.fire(1)
        let late = emitter.event.attach(sink)
        #expect(ends.entries == [true, true])
        var iterator = emitter.event.makeAsyncIterator()
        await #expect(throws: Failure.self) { try await iterator.next() }
        first.cancel()
        late.cancel()
    }

    @Test("Nothing is lost when many threads attach, fire and cancel at once")
    func threads() async throws {
        let hooks = Log<Bool>()
        let emitter = EventEmitter<Int>(
            onFirstListener: { hooks.append(true) },
            onLastListenerGone: { hooks.append(false) }
        )
        let heard = Log<Int>()
        await withTaskGroup { group in
            for number in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        if number == 0 {
                            emitter.fire(1)
                        } else {
                            let subscription = emitter.event.subscribe { heard.append($0) }
                            emitter.fire(1)
                            subscription.cancel()
                        }
                    }
                }
            }
        }
        #expect(emitter.listenerCount == 0)
        #expect(heard.count >= 3_500)
        let alternates = hooks.entries.enumerated().allSatisfy { $0.element == ($0.offset % 2 == 0) }
        #expect(alternates && hooks.count % 2 == 0)
    }
}
