// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Something that fires payloads to whoever listens, as VS Code's `Event<T>` does.
///
/// Three ways to listen: ``subscribe(_:)`` with a closure, which is called in order and at once; iteration
/// (`for try await payload in event`), which has a bounded buffer; and another process, when the event is returned from
/// ``ServerChannel/listen(_:_:_:)``. Nothing happens until somebody listens. A value: copies are the same event.
public struct Event<Payload: Sendable>: Sendable {
    /// The most payloads that iteration buffers unless it is told otherwise, 16,384.
    public static var defaultBufferLimit: Int { 16_384 }

    private let source: @Sendable (EventSink<Payload>) -> EventSubscription
    private var bufferLimit = Self.defaultBufferLimit

    /// Creates an event from what attaches a listener.
    ///
    /// - Parameter attach: Attaches a listener; the subscription it returns detaches it again.
    public init(attach: @escaping @Sendable (EventSink<Payload>) -> EventSubscription) {
        source = attach
    }

    /// Creates an event that never fires.
    public static var never: Self {
        Self { _ in EventSubscription() }
    }

    /// Creates an event from a sequence, which is iterated anew for every listener. The next element is asked for only
    /// when the listener, such as a remote client, can take it: a slow one slows the sequence down.
    public init<Elements: AsyncSequence & Sendable>(_ sequence: Elements) where Elements.Element == Payload {
        source = { sink in
            let task = Task.immediate {
                var count = 0
                do {
                    for try await payload in sequence {
                        guard !Task.isCancelled else { return }
                        sink.send(payload)
                        await sink.waitForRoom()
                        // A sequence that never waits would keep the thread: the first time that of whoever listens, later
                        // one of the few that all tasks share.
                        if count % 64 == 0 { await Task.yield() }
                        count += 1
                    }
                    if !Task.isCancelled { sink.finish() }
                } catch {
                    if !Task.isCancelled { sink.finish(throwing: error) }
                }
            }
            return EventSubscription { task.cancel() }
        }
    }

    /// Attaches a listener that knows how to end.
    public func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        source(sink)
    }

    /// Listens until the subscription is cancelled or released.
    ///
    /// - Parameter listener: Called with each payload, in order, on the thread that fires it; it must not block.
    public func subscribe(_ listener: @escaping @Sendable (Payload) -> Void) -> EventSubscription {
        source(EventSink(receive: listener))
    }

    /// The same event with payloads made of its payloads. A listener ends with the first error that is thrown.
    public func map<Other: Sendable>(_ transform: @escaping @Sendable (Payload) throws -> Other) -> Event<Other> {
        Event<Other> { sink in
            let upstream = EventSlot()
            let mapped = EventSink<Payload>(
                receive: { payload in
                    guard !upstream.isCancelled else { return }
                    do {
                        sink.send(try transform(payload))
                    } catch {
                        upstream.cancel()
                        sink.finish(throwing: error)
                    }
                },
                end: { error in
                    guard !upstream.isCancelled else { return }
                    sink.finish(throwing: error)
                },
                room: { await sink.waitForRoom() }
            )
            upstream.fill(self.attach(mapped))
            return EventSubscription { upstream.cancel() }
        }
    }

    /// The same event, with another bound for iteration.
    ///
    /// - Parameter limit: The most payloads that wait to be taken. One more ends the iteration with
    ///   ``EventOverflow``, after those that waited.
    public func buffering(_ limit: Int) -> Self {
        var copy = self
        copy.bufferLimit = limit
        return copy
    }
}

extension Event: AsyncSequence {
    /// Takes payloads one after the other; the listener is detached when the last copy is released.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let buffer: EventBuffer<Payload>
        private let subscription: EventSubscription

        fileprivate init(_ event: Event) {
            let buffer = EventBuffer<Payload>(limit: event.bufferLimit)
            self.buffer = buffer
            let source = event.attach(
                EventSink(
                    receive: { buffer.append($0) },
                    end: { buffer.finish($0) },
                    room: { await buffer.waitForRoom() }
                )
            )
            subscription = EventSubscription {
                source.cancel()
                // A source that waits for room would do so for ever.
                buffer.finish(nil)
            }
        }

        /// The next payload; nil at the end or when the task is cancelled.
        ///
        /// - Throws: ``EventOverflow`` when more came than the buffer holds; ``ConnectionEnd`` when the connection was
        ///   lost; a `DecodingError` when a payload was not what was expected.
        public mutating func next() async throws -> Payload? {
            do {
                let payload = try await buffer.next()
                if payload == nil { subscription.cancel() }
                return payload
            } catch {
                subscription.cancel()
                throw error
            }
        }
    }

    /// Attaches a listener with a bounded buffer.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}

/// More payloads came than an iteration buffers: whoever iterates is too slow.
public struct EventOverflow: Error, Sendable, Hashable, CustomStringConvertible {
    /// How many payloads were buffered.
    public var limit: Int

    /// What happened and what to do.
    public var description: String {
        "more than \(limit) events waited to be taken; take them faster, or allow more with buffering(_:)"
    }
}
