// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// One event of all clients that pass a filter, as they come and go. It listens to them while somebody listens to it, and
/// ends when the server is disposed of.
final class MulticastEvent<Context: Codable & Sendable>: Sendable {
    private struct State {
        var isActive = false
        var isStarting = false
        var hasHubEnded = false
        var subscriptions: [ObjectIdentifier: EventSubscription] = [:]
        /// To the hub: who comes and who goes.
        var watching: [EventSubscription] = []
    }

    private let hub: IPCServer<Context>
    private let filter: @Sendable (Context) -> Bool
    private let listen: @Sendable (Connection<Context>) -> Event<IPCValue>
    private let state = Mutex(State())
    /// In order of attachment.
    private let listeners = Mutex<[EventListener<IPCValue>]>([])
    /// Held while it starts or stops to listen to the clients.
    private let switching = Mutex(())

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
        let listener = EventListener(sink)
        switching.withLock { _ in
            let isFirst = listeners.withLock { listeners in
                listeners.append(listener)
                return listeners.count == 1
            }
            if isFirst { start() }
        }
        if state.withLock({ $0.hasHubEnded }) { finish() }
        return EventSubscription { self.detach(listener) }
    }

    private func detach(_ listener: EventListener<IPCValue>) {
        listener.leave()
        // It is released by whoever calls, outside of the locks: what it captured may cancel other subscriptions when it
        // goes.
        switching.withLock { _ in
            let isLast = listeners.withLock { listeners in
                guard let place = listeners.firstIndex(where: { $0 === listener }) else { return false }
                listeners.remove(at: place)
                return listeners.isEmpty
            }
            if isLast { stop() }
        }
    }

    private func start() {
        state.withLock { state in
            state.isActive = true
            state.isStarting = true
        }
        let watching = [
            hub.onDidAddConnection.attach(
                EventSink(receive: { [weak self] in self?.add($0) }, end: { [weak self] _ in self?.hubEnded() })
            ),
            hub.onDidRemoveConnection.subscribe { [weak self] in self?.remove($0) },
        ]
        for connection in hub.connections { add(connection) }
        state.withLock { state in
            state.watching = watching
            state.isStarting = false
        }
    }

    private func hubEnded() {
        let isStarting = state.withLock { state in
            state.hasHubEnded = true
            return state.isStarting
        }
        // While it starts, locks are held: then whoever started it looks afterwards.
        if !isStarting { finish() }
    }

    private func finish() {
        let ended = switching.withLock { _ in
            stop()
            return listeners.withLock { listeners in
                defer { listeners = [] }
                return listeners
            }
        }
        for listener in ended { listener.finish(throwing: nil) }
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
        let unwanted = state.withLock { state -> EventSubscription? in
            guard state.isActive, state.subscriptions[key] != nil else { return subscription }
            // Normally the place holder; a subscription when everybody left and somebody came in the meantime.
            return state.subscriptions.updateValue(subscription, forKey: key)
        }
        unwanted?.cancel()
    }

    private func remove(_ connection: Connection<Context>) {
        let subscription = state.withLock { $0.subscriptions.removeValue(forKey: ObjectIdentifier(connection)) }
        subscription?.cancel()
    }

    private func fire(_ payload: IPCValue) {
        for listener in listeners.withLock({ $0 }) { listener.send(payload) }
    }
}
