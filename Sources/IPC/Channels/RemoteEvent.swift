// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// One event object of the asking side: its first listener subscribes at the peer, its last one unsubscribes, and the next
/// first one subscribes again under the same id (PROTOCOL 3.4, 3.7).
final class RemoteEvent: Sendable {
    let id: UInt64
    let channel: IPCString
    let name: IPCString
    let argument: IPCValue

    private let client: ChannelClient
    /// In order of attachment.
    private let listeners = Mutex<[EventListener<IPCValue>]>([])
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
        for listener in listeners.withLock({ $0 }) { listener.send(payload) }
    }

    /// The connection has ended. An orderly end ends the event; a loss is an error.
    func finish(_ end: ConnectionEnd) {
        let ended = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        let isOrderly = end.code == .closed || end.code == .disposed
        for listener in ended { listener.finish(throwing: isOrderly ? nil : end) }
    }

    private func attach(_ sink: EventSink<IPCValue>) -> EventSubscription {
        let listener = EventListener(sink)
        let end = telling.withLock { _ in
            let isFirst = listeners.withLock { listeners in
                listeners.append(listener)
                return listeners.count == 1
            }
            return isFirst ? client.subscribe(self) : nil
        }
        if let end { finish(end) }
        return EventSubscription { self.detach(listener) }
    }

    private func detach(_ listener: EventListener<IPCValue>) {
        listener.leave()
        // It is released by whoever calls, outside of the locks: what it captured may cancel other subscriptions when it
        // goes.
        telling.withLock { _ in
            let isLast = listeners.withLock { listeners in
                guard let place = listeners.firstIndex(where: { $0 === listener }) else { return false }
                listeners.remove(at: place)
                return listeners.isEmpty
            }
            if isLast { client.unsubscribe(self) }
        }
    }
}
