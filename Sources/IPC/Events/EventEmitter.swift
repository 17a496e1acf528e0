// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Fires an ``Event``, as VS Code's `Emitter<T>` does.
///
/// From any thread. Listeners are called in the order in which they were attached, on the thread that fires, outside of
/// any lock, so that what a handler fires leaves before its answer.
public final class EventEmitter<Payload: Sendable>: Sendable {
    private struct State {
        var nextNumber = 0
        /// In order of attachment: numbers grow.
        var sinks: [(number: Int, sink: EventSink<Payload>)] = []
        var hasFinished = false
    }

    private let state = Mutex(State())
    private let onFirstListener: (@Sendable () -> Void)?
    private let onLastListenerGone: (@Sendable () -> Void)?

    /// Creates an emitter that nobody listens to.
    ///
    /// - Parameters:
    ///   - onFirstListener: Called when somebody listens after nobody did.
    ///   - onLastListenerGone: Called when nobody listens any more.
    public init(
        onFirstListener: (@Sendable () -> Void)? = nil,
        onLastListenerGone: (@Sendable () -> Void)? = nil
    ) {
        self.onFirstListener = onFirstListener
        self.onLastListenerGone = onLastListenerGone
    }

    /// The event. It keeps the emitter alive.
    public var event: Event<Payload> {
        Event { self.attach($0) }
    }

    /// How many listen.
    public var listenerCount: Int {
        state.withLock { $0.sinks.count }
    }

    /// Gives a payload to all who listen now.
    public func fire(_ payload: Payload) {
        for (_, sink) in state.withLock({ $0.sinks }) {
            sink.send(payload)
        }
    }

    /// Ends the event for all who listen now and for all who come later.
    public func finish(throwing error: (any Error)? = nil) {
        let sinks = state.withLock { state in
            state.hasFinished = true
            defer { state.sinks = [] }
            return state.sinks
        }
        for (_, sink) in sinks { sink.finish(throwing: error) }
        if !sinks.isEmpty { onLastListenerGone?() }
    }

    private func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        let number = state.withLock { state -> Int? in
            guard !state.hasFinished else { return nil }
            state.nextNumber += 1
            state.sinks.append((state.nextNumber, sink))
            return state.nextNumber
        }
        guard let number else {
            sink.finish()
            return EventSubscription()
        }
        if listenerCount == 1 { onFirstListener?() }
        return EventSubscription { self.detach(number) }
    }

    private func detach(_ number: Int) {
        let isLast = state.withLock { state in
            guard let place = state.sinks.firstIndex(where: { $0.number == number }) else { return false }
            state.sinks.remove(at: place)
            return state.sinks.isEmpty
        }
        if isLast { onLastListenerGone?() }
    }
}

extension EventEmitter where Payload == Void {
    /// Fires an event that carries nothing.
    public func fire() {
        fire(())
    }
}
