// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension AsyncThrowingStream where Element: Sendable, Failure == any Error {
    /// Creates a stream of what an event fires.
    ///
    /// It listens at once, until it is released or its iteration ends. It ends with ``EventOverflow`` when more than
    /// ``Event/defaultBufferLimit`` payloads wait to be taken.
    public init(_ event: Event<Element>) {
        let limit = Event<Element>.defaultBufferLimit
        self.init(bufferingPolicy: .bufferingOldest(limit)) { continuation in
            let subscription = event.attach(
                EventSink(
                    receive: { payload in
                        guard case .dropped = continuation.yield(payload) else { return }
                        continuation.finish(throwing: EventOverflow(limit: limit))
                    },
                    end: { continuation.finish(throwing: $0) }
                )
            )
            continuation.onTermination = { _ in subscription.cancel() }
        }
    }
}

extension AsyncStream where Element: Sendable {
    /// Creates a stream of what an event fires.
    ///
    /// It listens at once, until it is released or its iteration ends. Having no errors, it just ends where the event fails,
    /// or when more than ``Event/defaultBufferLimit`` payloads wait to be taken.
    public init(_ event: Event<Element>) {
        self.init(bufferingPolicy: .bufferingOldest(Event<Element>.defaultBufferLimit)) { continuation in
            let subscription = event.attach(
                EventSink(
                    receive: { payload in
                        if case .dropped = continuation.yield(payload) { continuation.finish() }
                    },
                    end: { _ in continuation.finish() }
                )
            )
            continuation.onTermination = { _ in subscription.cancel() }
        }
    }
}

extension Event {
    /// Copies an event: what makes an event of any kind of one makes one of this kind too.
    public init(_ event: Self) {
        self = event
    }
}
