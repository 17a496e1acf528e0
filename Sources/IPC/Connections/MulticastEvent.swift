// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// One event of all clients that pass a filter, as they come and go. It listens to them while somebody listens to it.
final class MulticastEvent<Context: Codable & Sendable>: Sendable {
    private struct State {
        var isActive = false
        var subscriptions: [ObjectIdentifier: EventSubscription] = [:]
        /// To the hub: who comes and who goes.
        var watching: [EventSubscription] = []
    }

    private let hub: IPCServer<Context>
    private let filter: @Sendable (Context) -> Bool
    private let listen: @Sendable (Connection<Context>) -> Event<IPCValue>
    private let state = Mutex(State())
    private let listeners = Mutex<[(number: Int, sink: EventSink<IPCValue>)]>([])
    /// Held while it starts or stops to listen to the clients.
    private let switching = Mutex(0)

    init(
        hub: IPCServer<Context>,
        filter: @escaping @Sendable (Context) -> Bool,
        listen: @escaping @Sendable (Connection<Context>) -> Event<IPCValue>
    ) {
        self.hub = hub
        self.filter = filter
        self.listen = listen
    }

    var event: Event<IPCValue> {
        Event { self.attach($0) }
    }

    private func attach(_ sink: EventSink<IPCValue>) -> EventSubscription {
        let number = switching.withLock { next in
            next += 1
            let isFirst = listeners.withLock { listeners in
                listeners.append((next, sink))
                return listeners.count == 1
            }
            if isFirst { start() }
            return next
        }
        return EventSubscription { self.detach(number) }
    }

    private func detach(_ number: Int) {
        switching.withLock { _ in
            let isLast = listeners.withLock { listeners in
                guard let place = listeners.firstIndex(where: { $0.number == number }) else { return false }
                listeners.remove(at: place)
                return listeners.isEmpty
            }
            if isLast { stop() }
        }
    }

    private func start() {
        state.withLock { $0.isActive = true }
        let watching = [
            hub.onDidAddConnection.subscribe { [weak self] in self?.add($0) },
            hub.onDidRemoveConnection.subscribe { [weak self] in self?.remove($0) },
        ]
        state.withLock { $0.watching = watching }
        for connection in hub.connections { add(connection) }
    }

    private func stop() {
        let (watching, subscriptions) = state.withLock { state in
            defer { state = State() }
            return (state.watching, state.subscriptions)
        }
        for subscription in watching { subscription.cancel() }
        for (_, subscription) in subscriptions { subscription.cancel() }
    }

    private func add(_ connection: Connection<Context>) {
        guard filter(connection.context) else { return }
        let key = ObjectIdentifier(connection)
        // A place holder first: a client that is found twice, by the first look and as a newcomer, is taken once.
        let isNew = state.withLock { state in
            guard state.isActive, state.subscriptions[key] == nil else { return false }
            state.subscriptions[key] = EventSubscription()
            return true
        }
        guard isNew else { return }
        let subscription = listen(connection).subscribe { [weak self] in self?.fire($0) }
        let isWanted = state.withLock { state in
            guard state.isActive, state.subscriptions[key] != nil else { return false }
            state.subscriptions[key] = subscription
            return true
        }
        if !isWanted { subscription.cancel() }
    }

    private func remove(_ connection: Connection<Context>) {
        let subscription = state.withLock { $0.subscriptions.removeValue(forKey: ObjectIdentifier(connection)) }
        subscription?.cancel()
    }

    private func fire(_ payload: IPCValue) {
        for (_, sink) in listeners.withLock({ $0 }) { sink.send(payload) }
    }
}
