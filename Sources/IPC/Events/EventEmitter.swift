// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Fires an ``Event``, as VS Code's `Emitter<T>` does.
///
/// From any thread. Listeners are called in the order in which they were attached, on the thread that fires, outside of
/// any lock, so that what a handler fires leaves before its answer.
public final class EventEmitter<Payload: Sendable>: Sendable {
    private struct State {
        /// In order of attachment.
        var listeners: [EventListener<Payload>] = []
        /// What those who come after the end are told.
        var ending: Ending?
    }

    private struct Ending: Sendable {
        var payload: Payload?
        var error: (any Error)?
    }

    private let state = Mutex(State())
    /// Held while a hook runs, so that the two alternate.
    private let hooks = Mutex(())
    private let onFirstListener: (@Sendable () -> Void)?
    private let onLastListenerGone: (@Sendable () -> Void)?

    /// Creates an emitter that nobody listens to.
    ///
    /// - Parameters:
    ///   - onFirstListener: Called when somebody listens after nobody did. It must not listen to this emitter itself, nor
    ///     finish it.
    ///   - onLastListenerGone: Called when nobody listens any more. It must not listen to this emitter itself, nor finish
    ///     it.
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
        state.withLock { $0.listeners.count }
    }

    /// Gives a payload to all who listen now.
    public func fire(_ payload: Payload) {
        for listener in state.withLock({ $0.listeners }) { listener.send(payload) }
    }

    /// Ends the event for all who listen now and for all who come later. Of several ends the first counts.
    public func finish(throwing error: (any Error)? = nil) {
        end(Ending(payload: nil, error: error))
    }

    /// Fires a last payload and ends the event: every listener gets both, once, whether it listens now or comes later.
    func finish(firing payload: Payload) {
        end(Ending(payload: payload, error: nil))
    }

    private func end(_ ending: Ending) {
        let listeners = hooks.withLock { _ in
            let listeners = state.withLock { state -> [EventListener<Payload>] in
                guard state.ending == nil else { return [] }
                state.ending = ending
                defer { state.listeners = [] }
                return state.listeners
            }
            if !listeners.isEmpty { onLastListenerGone?() }
            return listeners
        }
        for listener in listeners { Self.tell(listener, ending) }
    }

    private static func tell(_ listener: EventListener<Payload>, _ ending: Ending) {
        if let payload = ending.payload { listener.send(payload) }
        listener.finish(throwing: ending.error)
    }

    private func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        let listener = EventListener(sink)
        let ending = hooks.withLock { _ in
            let (isFirst, ending) = state.withLock { state -> (Bool, Ending?) in
                if let ending = state.ending { return (false, ending) }
                state.listeners.append(listener)
                return (state.listeners.count == 1, nil)
            }
            if isFirst { onFirstListener?() }
            return ending
        }
        if let ending {
            Self.tell(listener, ending)
            return EventSubscription()
        }
        return EventSubscription { self.detach(listener) }
    }

    private func detach(_ listener: EventListener<Payload>) {
        listener.leave()
        // It is released by whoever calls, outside of the locks: what it captured may cancel other subscriptions when it
        // goes.
        hooks.withLock { _ in
            let isLast = state.withLock { state in
                guard let place = state.listeners.firstIndex(where: { $0 === listener }) else { return false }
                state.listeners.remove(at: place)
                return state.listeners.isEmpty
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
