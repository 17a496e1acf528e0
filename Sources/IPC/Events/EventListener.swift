// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A sink that is attached to something that fires. It hears nothing any more once it has left, also when it leaves while a
/// payload is on its way through those who were attached before it.
final class EventListener<Payload: Sendable>: Sendable {
    private let sink: EventSink<Payload>
    private let hasLeft = Atomic(false)

    init(_ sink: EventSink<Payload>) {
        self.sink = sink
    }

    func send(_ payload: Payload) {
        if !hasLeft.load(ordering: .acquiring) { sink.send(payload) }
    }

    func finish(throwing error: (any Error)?) {
        if !hasLeft.load(ordering: .acquiring) { sink.finish(throwing: error) }
    }

    func leave() {
        hasLeft.store(true, ordering: .releasing)
    }
}
