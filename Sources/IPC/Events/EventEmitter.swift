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
    /// Held while a hook runs, so that the two alternate.
    private let hooks = Mutex(())
    private let onFirstListener: (@Sendable () -> Void)?
    private let onLastListenerGone: (@Sendable () -> Void)?

    /// Creates an emitter that nobody listens to.
    ///
    /// - Parameters:
    ///   - onFirstListener: Called when somebody listens after nobody did. It must not listen to this emitter itself.
    ///   - onLastListenerGone: Called when nobody listens any more. It must not listen to this emitter itself.
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
        let sinks = hooks.withLock { _ in
            let sinks = state.withLock { state in
                state.hasFinished = true
                defer { state.sinks = [] }
                return state.sinks
            }
            if !sinks.isEmpty { onLastListenerGone?() }
            return sinks
        }
        for (_, sink) in sinks { sink.finish(throwing: error) }
    }

    private func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        let number = hooks.withLock { _ in
            let (number, isFirst) = state.withLock { state -> (Int?, Bool) in
                guard !state.hasFinished else { return (nil, false) }
                state.nextNumber += 1
                state.sinks.append((state.nextNumber, sink))
                return (state.nextNumber, state.sinks.count == 1)
            }
            if isFirst { onFirstListener?() }
            return number
        }
        guard let number else {
            sink.finish()
            return EventSubscription()
        }
        return EventSubscription { self.detach(number) }
    }

    private func detach(_ number: Int) {
        hooks.withLock { _ in
            let isLast = state.withLock { state in
                guard let place = state.sinks.firstIndex(where: { $0.number == number }) else { return false }
                state.sinks.remove(at: place)
                return state.sinks.isEmpty
            }
            if isLast { onLastListenerGone?() }
        }
    }
}

extension EventEmitter where Payload == Void {
    /// Fires an event that carries nothing.
    public func fire() {
        fire(())
    }
}
