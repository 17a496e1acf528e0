// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
internal import Synchronization

/// The answering side of a connection: runs the handlers of its channels and sends their answers and events (VS Code's
/// `ChannelServer`). Normally made by a ``Connection``.
///
/// Thread-safe. ``receive(_:byteCount:)`` is called with one message after the other.
public final class ChannelServer<Context: Sendable>: Sendable {
    struct State {
        var channels: [IPCString: any ServerChannel<Context>] = [:]
        var responder = ChannelResponder()
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var subscriptions: [UInt64: EventSubscription] = [:]
        var parked: ParkedRequests<ContinuousClock.Instant>
        var parkingTimer: Task<Void, Never>?
        var held = HeldRequests()
        var isDisposed = false
    }

    /// Who calls; every handler gets it.
    public let context: Context

    package let transport: any MessagePassingProtocol
    let options: ConnectionOptions
    let state: Mutex<State>

    /// Creates the answering side of a connection, without channels.
    ///
    /// - Parameters:
    ///   - transport: Where answers and events are sent. Somebody else receives from it and calls
    ///     ``receive(_:byteCount:)``.
    ///   - context: Who calls.
    ///   - options: What can be chosen.
    public init(
        over transport: any MessagePassingProtocol,
        context: Context,
        options: ConnectionOptions = ConnectionOptions()
    ) {
        self.transport = transport
        self.context = context
        self.options = options
        let parked = ParkedRequests<ContinuousClock.Instant>(
            limit: options.parkedRequestLimit,
            byteLimit: options.heldRequestBytes
        )
        state = Mutex(State(parked: parked))
    }

    /// Calls that run, or wait for their channel, and subscriptions.
    public var openCount: Int {
        state.withLock { $0.responder.openCount }
    }

    /// Calls that run, or wait for their channel.
    public var callCount: Int {
        state.withLock { $0.responder.callCount }
    }

    /// Offers a channel. One of the same name is replaced for new requests. Requests that came too early and still wait
    /// are served now, in their order.
    public func registerChannel(_ name: IPCString, _ channel: some ServerChannel<Context>) {
        // What is replaced is released outside of the lock: nobody knows what it does when it goes.
        let (replaced, mustRelease) = state.withLock { state -> ((any ServerChannel<Context>)?, Bool) in
            guard !state.isDisposed else { return (nil, false) }
            let replaced = state.channels.updateValue(channel, forKey: name)
            return (replaced, state.held.append(released: state.parked.take(for: name)))
        }
        if mustRelease { releaseHeld() }
        withExtendedLifetime(replaced) {}
    }

    /// Tells the peer that its requests are welcome.
    public func sendInitialize() {
        transport.send(IPCMessage.initialize)
    }

    /// Ends everything: handlers are cancelled, events detached, requests that wait are dropped. Nothing is sent.
    public func dispose() {
        let (tasks, subscriptions, timer, channels) = state.withLock { state in
            state.isDisposed = true
            _ = state.responder.dispose()
            defer {
                state.tasks = [:]
                state.subscriptions = [:]
                state.channels = [:]
                state.parkingTimer = nil
                state.parked.removeAll()
                state.held.removeAll()
            }
            return (state.tasks.sorted { $0.key < $1.key }, state.subscriptions, state.parkingTimer, state.channels)
        }
        timer?.cancel()
        for (_, task) in tasks { task.cancel() }
        for (_, subscription) in subscriptions { subscription.cancel() }
        withExtendedLifetime(channels) {}
    }

    /// Takes a message from the peer; answers are ignored, they are for a ``ChannelClient``.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - byteCount: Its size.
    /// - Returns: Why the connection cannot go on; nil when it can.
    public func receive(_ message: DecodedMessage, byteCount: Int) -> ConnectionEnd? {
        switch message {
        case .call, .listen:
            let request = HeldRequests.Request(message: message, byteCount: byteCount)
            let isCongested = transport.isCongested
            let (isHeld, mustRelease) = state.withLock { state in
                guard isCongested || state.held.isReleasing, !state.isDisposed else { return (false, false) }
                let mustRelease = state.held.append(request)
                // Under the lock, or it could come after the restart that follows it.
                if state.held.mustPause(beyond: options.heldRequestBytes) { transport.setDelivering(false) }
                return (true, mustRelease)
            }
            if mustRelease { releaseHeld() }
            return isHeld ? nil : perform(request)
        case .cancel(let id), .unlisten(let id):
            withdraw(id)
            return nil
        default:
            return nil
        }
    }

    // MARK: Requests

    enum Step {
        case call(any ServerChannel<Context>)
        case listen(any ServerChannel<Context>)
        case answer([UInt8])
        case report(String)
        case nothing
        case end(ConnectionEnd)
    }

    /// Serves a request; returns why the connection cannot go on.
    func perform(_ request: HeldRequests.Request) -> ConnectionEnd? {
        let step = state.withLock { next(request, &$0) }
        switch (step, request.message) {
        case (.call(let channel), .call(let id, _, let command, let argument)):
            run(id, channel, command, argument)
        case (.listen(let channel), .listen(let id, let name, let event, let argument)):
            attach(id, channel, name, event, argument)
        case (.answer(let bytes), _):
            transport.send(bytes)
        case (.report(let text), _):
            options.report?(text)
        case (.end(let end), _):
            return end
        default:
            break
        }
        return nil
    }

    private func next(_ request: HeldRequests.Request, _ state: inout State) -> Step {
        guard !state.isDisposed else { return .nothing }
        if !request.isRegistered {
            switch state.responder.receive(request.message) {
            case .call(let id, _, _, _) where state.responder.openCount > options.openCallLimit:
                let text = "more than \(options.openCallLimit) requests are open on this connection"
                return Self.answer(id, RemoteError(name: "Busy", message: IPCString(text)), &state)
            case .listen(let id, let channel, let event, _) where state.responder.openCount > options.openCallLimit:
                _ = state.responder.receive(.unlisten(id: id))
                return .report(
                    "a subscription to \(channel).\(event) came to nothing: more than \(options.openCallLimit) requests are open"
                )
            case .call, .listen:
                break
            case .duplicateID(let id):
                return .end(ConnectionEnd(.malformed, "the peer used the id \(id) for two open requests"))
            case .cancel, .unlisten, .ignore:
                return .nothing
            }
        }
        switch request.message {
        case .call(let id, let name, _, _):
            // A call that was withdrawn while it waited is not run.
            guard state.responder.isRunning(id) else {
                return Self.answer(id, RemoteError.canceled, &state)
            }
            return state.channels[name].map { .call($0) } ?? park(request, for: name, &state)
        case .listen(let id, let name, _, _):
            guard state.responder.isSubscribed(id) else { return .nothing }
            return state.channels[name].map { .listen($0) } ?? park(request, for: name, &state)
        default:
            return .nothing
        }
    }

    static func answer(_ id: UInt64, _ error: RemoteError, _ state: inout State) -> Step {
        state.responder.finish(id) ? .answer(IPCMessage.failure(id: id, error: error.body)) : .nothing
    }

    private func withdraw(_ id: UInt64) {
        let (task, subscription) = state.withLock { state -> (Task<Void, Never>?, EventSubscription?) in
            switch state.responder.receive(.cancel(id: id)) {
            case .cancel:
                return (state.tasks[id], nil)
            case .unlisten:
                state.parked.drop(id)
                return (nil, state.subscriptions.removeValue(forKey: id))
            default:
                state.held.withdraw(id)
                return (nil, nil)
            }
        }
        task?.cancel()
        subscription?.cancel()
    }

    // MARK: Calls

    private func run(_ id: UInt64, _ channel: any ServerChannel<Context>, _ command: IPCString, _ argument: IPCValue) {
        // It starts here and now, so that handlers start in the order of the calls, and one that does not wait needs no
        // other thread. It does not keep the connection: a handler may ignore that its client has left.
        let task = Task.immediate { [weak self, context] in
            let answer: [UInt8]
            do {
                answer = IPCMessage.success(id: id, result: try await channel.call(context, command, argument))
            } catch let failure as RemoteFailure {
                answer = IPCMessage.failureValue(id: id, value: failure.value)
            } catch {
                answer = IPCMessage.failure(id: id, error: RemoteError(reporting: error).body)
            }
            self?.finish(id, answer)
        }
        let isLeft = state.withLock { state in
            // Most handlers have finished by now. One whose client left meanwhile is told below.
            if state.responder.isOpen(id) { state.tasks[id] = task }
            return state.isDisposed || (state.responder.isOpen(id) && !state.responder.isRunning(id))
        }
        if isLeft { task.cancel() }
    }

    private func finish(_ id: UInt64, _ answer: [UInt8]) {
        let isOpen = state.withLock { state in
            state.tasks[id] = nil
            return state.responder.finish(id)
        }
        if isOpen { transport.send(bounded(answer, id)) }
    }

    /// The answer, or an Error in its place when it is too large for anybody to read.
    private func bounded(_ answer: [UInt8], _ id: UInt64) -> [UInt8] {
        guard answer.count > options.limits.frameBytes else { return answer }
        let text = "the result has \(answer.count) bytes, more than the \(options.limits.frameBytes) that are allowed"
        return IPCMessage.failure(id: id, name: "ResultTooLarge", message: text)
    }

    // MARK: Events

    private func attach(
        _ id: UInt64,
        _ channel: any ServerChannel<Context>,
        _ name: IPCString,
        _ eventName: IPCString,
        _ argument: IPCValue
    ) {
        let event: Event<IPCValue>
        do {
            event = try channel.listen(context, eventName, argument)
        } catch {
            options.report?("a subscription to \(name).\(eventName) came to nothing: \(error)")
            return
        }
        let subscription = event.attach(
            EventSink(
                receive: { [weak self] payload in self?.fire(id, payload) },
                end: { [options] error in
                    guard let error else { return }
                    options.report?("the event \(name).\(eventName) ended: \(error)")
                },
                room: { [weak self] in await self?.waitForRoom(id) }
            )
        )
        let isKept = state.withLock { state in
            guard state.responder.isSubscribed(id), !state.isDisposed else { return false }
            state.subscriptions[id] = subscription
            return true
        }
        if !isKept { subscription.cancel() }
    }

    private func fire(_ id: UInt64, _ payload: IPCValue) {
        guard state.withLock({ $0.responder.isSubscribed(id) }) else { return }
        let message = IPCMessage.event(id: id, payload: payload)
        guard message.count <= options.limits.frameBytes else {
            options.report?("an event of \(message.count) bytes was dropped, it is too large")
            return
        }
        transport.send(message)
    }
}
