// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
public import IPCProtocol
import Synchronization

/// A client that does what the application of the recorded client did.
public final class ReplayClient: Sendable {
    private struct State {
        var client: IPCClient<IPCValue>?
        var calls: [Task<CallOutcome, Never>] = []
        var event: Event<IPCValue>?
        var subscriptions: [Int: EventSubscription] = [:]
        var heard: [IPCValue] = []
    }

    let channel = ClientSideChannel()
    private let transport: any MessagePassingProtocol
    private let options: ConnectionOptions
    private let state = Mutex(State())

    /// Creates a client that has not connected yet.
    public init(over transport: any MessagePassingProtocol, options: ConnectionOptions = ConnectionOptions()) {
        self.transport = transport
        self.options = options
    }

    private var client: IPCClient<IPCValue> {
        get throws {
            guard let client = state.withLock({ $0.client }) else {
                throw Vectors.Malformed(description: "the client has not connected")
            }
            return client
        }
    }

    func connect(_ context: IPCValue) throws {
        let client = try IPCClient(over: transport, context: context, options: options)
        client.registerChannel("clientchan", channel)
        state.withLock { $0.client = client }
    }

    func call(_ name: IPCString, _ command: IPCString, _ argument: IPCValue = .undefined) throws {
        let channel = try client.channel(name)
        // At once, so that the numbers are given in the order of the script.
        let task = Task.immediate { await CallOutcome { try await channel.call(command, argument) } }
        state.withLock { $0.calls.append(task) }
    }

    /// A call by a task that is cancelled already.
    func callCancelled(_ name: IPCString, _ command: IPCString, _ argument: IPCValue) throws {
        let channel = try client.channel(name)
        let task = Task.immediate {
            withUnsafeCurrentTask { $0?.cancel() }
            return await CallOutcome { try await channel.call(command, argument) }
        }
        state.withLock { $0.calls.append(task) }
    }

    func cancelLatestCall() {
        state.withLock { $0.calls.last }?.cancel()
    }

    func expectLatest(_ expected: CallOutcome) async throws {
        let outcome = await state.withLock { $0.calls.last }?.value
        guard outcome == expected else {
            throw RawPeer.Mismatch(
                description: "a call ended as \(outcome.map { "\($0)" } ?? "nothing"), not \(expected)"
            )
        }
    }

    /// Listens through a new event object.
    func listen(
        _ number: Int,
        _ name: IPCString,
        _ event: IPCString,
        _ argument: IPCValue = .undefined,
        keeping: Bool = false
    ) throws {
        let event = try client.channel(name).listen(event, argument)
        if keeping { state.withLock { $0.event = event } }
        subscribe(number, to: event)
    }

    /// Listens through the event object that was kept.
    func listenAgain(_ number: Int) throws {
        guard let event = state.withLock({ $0.event }) else {
            throw Vectors.Malformed(description: "no event object was kept")
        }
        subscribe(number, to: event)
    }

    private func subscribe(_ number: Int, to event: Event<IPCValue>) {
        let subscription = event.subscribe { payload in self.state.withLock { $0.heard.append(payload) } }
        state.withLock { $0.subscriptions[number] = subscription }
    }

    /// Removes a listener when so many payloads have come to all listeners together.
    func unlisten(_ number: Int, heard count: Int = 0) async throws {
        try await waitUntilHeard(count)
        state.withLock { $0.subscriptions.removeValue(forKey: number) }?.cancel()
    }

    func waitUntilHeard(_ count: Int) async throws {
        try await eventually("\(count) payloads have come") { heard.count >= count }
    }

    func fire(_ payload: IPCValue) async throws {
        try await eventually("the server listens") { channel.didE.listenerCount == 1 }
        channel.didE.fire(payload)
    }

    func dispose() throws {
        try client.dispose()
    }

    /// How all calls have ended, in the order in which they were made.
    public func outcomes() async -> [CallOutcome] {
        var outcomes: [CallOutcome] = []
        for call in state.withLock({ $0.calls }) { outcomes.append(await call.value) }
        return outcomes
    }

    /// Everything that listeners have heard.
    public var heard: [IPCValue] { state.withLock { $0.heard } }
}
