// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// An event whose source must be found first, once for all listeners. A listener that leaves before that is forgotten.
final class EventRelay<Payload: Sendable>: Sendable {
    /// The subscription of one listener, when there is one.
    private final class Slot: Sendable {
        private struct State {
            var subscription: EventSubscription?
            var isCancelled = false
        }

        private let state = Mutex(State())

        var isCancelled: Bool { state.withLock { $0.isCancelled } }

        func fill(_ subscription: EventSubscription) {
            let isCancelled = state.withLock { state in
                if !state.isCancelled { state.subscription = subscription }
                return state.isCancelled
            }
            if isCancelled { subscription.cancel() }
        }

        func cancel() {
            let subscription = state.withLock { state in
                state.isCancelled = true
                defer { state.subscription = nil }
                return state.subscription
            }
            subscription?.cancel()
        }
    }

    private let find: @Sendable () async throws -> Event<Payload>
    private let found = Mutex<Task<Event<Payload>, any Error>?>(nil)

    init(_ find: @escaping @Sendable () async throws -> Event<Payload>) {
        self.find = find
    }

    func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        let slot = Slot()
        let task = found.withLock { found in
            if let found { return found }
            let find = find
            let task = Task { try await find() }
            found = task
            return task
        }
        Task.immediate {
            do {
                let event = try await task.value
                if !slot.isCancelled { slot.fill(event.attach(sink)) }
            } catch {
                sink.finish(throwing: error)
            }
        }
        return EventSubscription { slot.cancel() }
    }
}
