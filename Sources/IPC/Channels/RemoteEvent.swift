// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// One event object of the asking side: its first listener subscribes at the peer, its last one unsubscribes, and the next
/// first one subscribes again under the same id (PROTOCOL 3.4, 3.7).
final class RemoteEvent: Sendable {
    private struct State {
        var nextNumber = 0
        var sinks: [(number: Int, sink: EventSink<IPCValue>)] = []
    }

    let id: UInt64
    let channel: IPCString
    let name: IPCString
    let argument: IPCValue

    private let client: ChannelClient
    private let state = Mutex(State())
    /// Held while the peer is told, so that what it hears is in the order of what happened here.
    private let telling = Mutex(())

    init(client: ChannelClient, id: UInt64, channel: IPCString, name: IPCString, argument: IPCValue) {
        self.client = client
        self.id = id
        self.channel = channel
        self.name = name
        self.argument = argument
    }

    var event: Event<IPCValue> {
        Event { self.attach($0) }
    }

    func fire(_ payload: IPCValue) {
        for (_, sink) in state.withLock({ $0.sinks }) { sink.send(payload) }
    }

    /// The connection has ended. An orderly end ends the event; a loss is an error.
    func finish(_ end: ConnectionEnd) {
        let sinks = state.withLock { state in
            defer { state.sinks = [] }
            return state.sinks
        }
        let isOrderly = end.code == .closed || end.code == .disposed
        for (_, sink) in sinks { sink.finish(throwing: isOrderly ? nil : end) }
    }

    private func attach(_ sink: EventSink<IPCValue>) -> EventSubscription {
        let (number, end) = telling.withLock { _ in
            let (number, isFirst) = state.withLock { state in
                state.nextNumber += 1
                state.sinks.append((state.nextNumber, sink))
                return (state.nextNumber, state.sinks.count == 1)
            }
            return (number, isFirst ? client.subscribe(self) : nil)
        }
        if let end { finish(end) }
        return EventSubscription { self.detach(number) }
    }

    private func detach(_ number: Int) {
        telling.withLock { _ in
            let isLast = state.withLock { state in
                guard let place = state.sinks.firstIndex(where: { $0.number == number }) else { return false }
                state.sinks.remove(at: place)
                return state.sinks.isEmpty
            }
            if isLast { client.unsubscribe(self) }
        }
    }
}
