// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
internal import Synchronization

/// The asking side of a connection: makes calls and subscriptions, and tells those who wait what came (VS Code's
/// `ChannelClient`). Normally made by a ``Connection``.
///
/// Thread-safe. ``receive(_:)`` is called with one message after the other.
public final class ChannelClient: Sendable {
    private struct State {
        var requester = ChannelRequester()
        var calls: [UInt64: CheckedContinuation<IPCValue, any Error>] = [:]
        var events: [UInt64: RemoteEvent] = [:]
        /// Whether a task waits until the peer has read.
        var isDraining = false
        var end: ConnectionEnd?
    }

    private let transport: any MessagePassingProtocol
    private let state = Mutex(State())
    private let readiness = WaitList()
    private let room = WaitList()

    /// Creates the asking side of a connection.
    ///
    /// - Parameter transport: Where requests are sent. Somebody else receives from it and calls ``receive(_:)``.
    public init(over transport: any MessagePassingProtocol) {
        self.transport = transport
    }

    /// Whether the peer has said that it is ready for requests. Until then they wait here.
    public var isReady: Bool {
        state.withLock { $0.requester.isReady }
    }

    /// Calls without an answer, cancelled ones included, and live subscriptions.
    public var outstandingCount: Int {
        state.withLock { $0.requester.outstandingCount }
    }

    /// A channel of the peer. There is no error when the peer does not have it, until it is called.
    public func channel(_ name: IPCString) -> any Channel {
        RemoteChannel(client: self, name: name)
    }

    /// Waits until the peer is ready for requests.
    ///
    /// - Throws: ``ConnectionEnd`` when the connection ends before, `CancellationError` when the task is cancelled.
    public func waitUntilReady() async throws {
        await readiness.wait(unless: { state.withLock { $0.requester.isReady || $0.end != nil } })
        let (isReady, end) = state.withLock { ($0.requester.isReady, $0.end) }
        if let end { throw end }
        guard isReady else { throw CancellationError() }
    }

    /// Takes a message from the peer; requests are ignored, they are for a ``ChannelServer``.
    public func receive(_ message: DecodedMessage) {
        switch message {
        case .call, .listen, .cancel, .unlisten:
            return
        case .initialize:
            becomeReady()
        default:
            let (call, event, result) = state.withLock {
                state -> (CheckedContinuation<IPCValue, any Error>?, RemoteEvent?, ChannelRequester.Event?) in
                let result = state.requester.receive(message)
                switch result {
                case .answered(let id, _): return (state.calls.removeValue(forKey: id), nil, result)
                case .fired(let id, _): return (nil, state.events[id], result)
                case .ready, nil: return (nil, nil, nil)
                }
            }
            switch result {
            case .answered(_, .success(let value)): call?.resume(returning: value)
            case .answered(_, .failure(let error)): call?.resume(throwing: error)
            case .answered(_, .failureValue(let value)): call?.resume(throwing: RemoteFailure(value))
            case .fired(_, let payload): event?.fire(payload)
            case .ready, nil: break
            }
        }
    }

    /// Ends everything on this side: the peer is told, calls fail and events end.
    public func dispose() {
        end(.disposed, tellingPeer: true)
    }

    /// Ends everything: calls fail, events end. The connection is gone.
    ///
    /// - Parameters:
    ///   - end: What calls fail with, now and from now on.
    ///   - tellingPeer: Whether cancels and unsubscriptions are sent.
    func end(_ end: ConnectionEnd, tellingPeer: Bool = false) {
        let (calls, events) = state.withLock { state in
            if state.end == nil {
                state.end = end
                let messages = state.requester.dispose()
                if tellingPeer {
                    for message in messages { transport.send(message) }
                }
            }
            defer {
                state.calls = [:]
                state.events = [:]
            }
            return (state.calls.sorted { $0.key < $1.key }, state.events)
        }
        for (_, call) in calls { call.resume(throwing: end) }
        for (_, event) in events { event.finish(end) }
        readiness.signal()
        room.signal()
    }

    private func becomeReady() {
        state.withLock { state in
            guard case .ready(let released) = state.requester.receive(.initialize) else { return }
            // Under the lock: what is asked from now on comes after what was held back.
            for message in released { transport.send(message) }
        }
        readiness.signal()
    }

    // MARK: Calls

    /// Calls a command of a channel of the peer. See ``Channel/call(_:_:)``.
    func call(_ channel: IPCString, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        if transport.isCongested { await waitForRoom() }
        // The number is taken first, so that whoever cancels knows it. A call that is cancelled already takes one too.
        let id = state.withLock { $0.requester.takeID() }
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let end = state.withLock { state -> ConnectionEnd? in
                    if let end = state.end { return end }
                    state.calls[id] = continuation
                    if let message = state.requester.call(id: id, channel, command, argument).message {
                        transport.send(message)
                    }
                    return nil
                }
                if let end { continuation.resume(throwing: end) }
                // A cancel that came before the call was entered has found nothing.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Calls a command and lets the answer go, whatever it is. In order with everything that is sent, and at once: whoever
    /// does so without end, to a peer that does not read, loses the connection.
    func post(_ channel: IPCString, _ command: IPCString, _ argument: IPCValue) {
        state.withLock { state in
            guard state.end == nil else { return }
            if let message = state.requester.call(channel, command, argument).message { transport.send(message) }
        }
    }

    /// Waits until the peer has read. Draining itself does not end when a task is cancelled, waiting for it does.
    private func waitForRoom() async {
        while transport.isCongested, !Task.isCancelled, state.withLock({ $0.end == nil }) {
            await room.wait(unless: {
                drain()
                return !transport.isCongested
            })
        }
    }

    /// Sees to it that those who wait hear when the peer has read.
    private func drain() {
        let isNew = state.withLock { state in
            defer { state.isDraining = true }
            return !state.isDraining
        }
        guard isNew else { return }
        Task { [weak self, transport] in
            await transport.drain()
            self?.state.withLock { $0.isDraining = false }
            self?.room.signal()
        }
    }

    private func cancel(_ id: UInt64) {
        let call = state.withLock { state -> CheckedContinuation<IPCValue, any Error>? in
            guard let call = state.calls.removeValue(forKey: id) else { return nil }
            if let message = state.requester.cancel(id) { transport.send(message) }
            return call
        }
        call?.resume(throwing: CancellationError())
    }

    // MARK: Events

    /// An event of a channel of the peer. See ``Channel/listen(_:_:)``.
    func listen(_ channel: IPCString, _ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        let id = state.withLock { $0.requester.takeID() }
        let remote = RemoteEvent(client: self, id: id, channel: channel, name: event, argument: argument)
        return remote.event
    }

    /// Subscribes at the peer; returns why that is not possible.
    func subscribe(_ event: RemoteEvent) -> ConnectionEnd? {
        state.withLock { state in
            if let end = state.end { return end }
            state.events[event.id] = event
            let request = state.requester.listen(event.channel, event.name, event.argument, reusing: event.id)
            if let message = request.message { transport.send(message) }
            return nil
        }
    }

    /// Unsubscribes at the peer.
    func unsubscribe(_ event: RemoteEvent) {
        state.withLock { state in
            guard state.events.removeValue(forKey: event.id) != nil else { return }
            if let message = state.requester.unlisten(event.id) { transport.send(message) }
        }
    }
}
