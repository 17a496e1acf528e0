// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// An event whose source must be found first. A listener that leaves before that is forgotten.
struct EventRelay<Payload: Sendable>: Sendable {
    private let source: Deferred<Event<Payload>>

    init(_ source: Deferred<Event<Payload>>) {
        self.source = source
    }

    func attach(_ sink: EventSink<Payload>) -> EventSubscription {
        let slot = EventSlot()
        let waiter = source.whenKnown { found in
            guard !slot.isCancelled else { return }
            switch found {
            case .success(let event): slot.fill(event.attach(sink))
            case .failure(let error): sink.finish(throwing: error)
            }
        }
        return EventSubscription { [source] in
            source.forget(waiter)
            slot.cancel()
        }
    }
}
