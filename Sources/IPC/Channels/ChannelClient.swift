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
        var readyWaiters: [CheckedContinuation<Void, any Error>] = []
        var end: ConnectionEnd?
    }

    private let transport: any MessagePassingProtocol
    private let state = Mutex(State())

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
    /// - Throws: ``ConnectionEnd`` when the connection ends before.
    public func waitUntilReady() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state -> Result<Void, ConnectionEnd>? in
                if let end = state.end { return .failure(end) }
                if state.requester.isReady { return .success(()) }
                state.readyWaiters.append(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
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
        let before = state.withLock { state in
            defer {
                if state.end == nil {
                    if tellingPeer {
                        for message in state.requester.dispose() { transport.send(message) }
                    }
                    state.end = end
                }
                state.calls = [:]
                state.events = [:]
                state.readyWaiters = []
            }
            return (state.calls.sorted { $0.key < $1.key }, state.events, state.readyWaiters)
        }
        for (_, call) in before.0 { call.resume(throwing: end) }
        for (_, event) in before.1 { event.finish(end) }
        for waiter in before.2 { waiter.resume(throwing: end) }
    }

    private func becomeReady() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard case .ready(let released) = state.requester.receive(.initialize) else { return [] }
            // Under the lock: what is asked from now on comes after what was held back.
            for message in released { transport.send(message) }
            defer { state.readyWaiters = [] }
            return state.readyWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: Calls

    /// Calls a command of a channel of the peer. See ``Channel/call(_:_:)``.
    func call(_ channel: IPCString, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        while transport.isCongested, !Task.isCancelled { await transport.drain() }
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
