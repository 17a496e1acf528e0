// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
public import IPCProtocol
import Synchronization

/// A server that does what the application of the recorded server did.
public final class ReplayServer: Sendable {
    /// The server. Clients may say anything about who they are.
    public let server: IPCServer<IPCValue>
    let test = TestChannel()
    let service = ServiceChannel()
    private let outcomes = Mutex<[CallOutcome]>([])
    private let heard = Mutex<[IPCValue]>([])
    private let subscription = Mutex<EventSubscription?>(nil)

    /// Creates a server with the recorded channels.
    public init(options: ConnectionOptions = ConnectionOptions()) {
        server = IPCServer(options: options)
        server.registerChannel("test", test)
        server.registerChannel("svc", service)
    }

    /// Lets handlers end that ignore that they are cancelled.
    public func shutDown() {
        server.dispose()
        test.gate.open()
    }

    /// Fires an event of the channel `test` when so many listen.
    func fire(_ payload: IPCValue, listeners: Int) async throws {
        try await eventually("\(listeners) listen") { test.ping.listenerCount == listeners }
        test.ping.fire(payload)
    }

    /// Fires an event of the channel `svc` when somebody listens.
    func fireService(_ payload: IPCValue) async throws {
        try await eventually("somebody listens") { service.didX.listenerCount == 1 }
        service.didX.fire(payload)
    }

    /// Calls a channel of the client.
    func call(_ command: IPCString, _ argument: IPCValue = .undefined) async throws {
        let channel = try await clientChannel()
        Task.immediate {
            let outcome = await CallOutcome { try await channel.call(command, argument) }
            self.outcomes.withLock { $0.append(outcome) }
        }
    }

    /// Listens to an event of the client.
    func listen(_ event: IPCString, _ argument: IPCValue) async throws {
        let subscription = try await clientChannel().listen(event, argument).subscribe { payload in
            self.heard.withLock { $0.append(payload) }
        }
        self.subscription.withLock { $0 = subscription }
    }

    /// Stops to listen when these payloads have come.
    func stopListening(after payloads: [IPCValue]) async throws {
        try await eventually("\(payloads) have come") { heard.withLock { $0 } == payloads }
        subscription.withLock { subscription in
            defer { subscription = nil }
            return subscription
        }?.cancel()
    }

    /// Waits until calls of the client have ended like this.
    func expect(_ expected: [CallOutcome]) async throws {
        try await eventually("the server's calls end as \(expected)") { outcomes.withLock { $0 } == expected }
    }

    /// Registers a channel when so many requests wait or run.
    func register(_ name: IPCString, whenOpen count: Int) {
        Task {
            try await eventually("\(count) requests are open") {
                server.connections.first?.channelServer.openCount == count
            }
            server.registerChannel(name, MirrorChannel(name: name))
        }
    }

    private func clientChannel() async throws -> any Channel {
        try await eventually("the client has said who it is") { !server.connections.isEmpty }
        return server.connections[0].channel("clientchan")
    }
}

/// How a call ended, comparable.
public enum CallOutcome: Sendable, Hashable {
    /// It has a result.
    case success(IPCValue)
    /// It failed with an Error.
    case error(RemoteError)
    /// It failed with a value.
    case failure(IPCValue)
    /// It was cancelled.
    case cancelled
    /// The connection ended.
    case ended(ConnectionEnd)
    /// It failed with something else.
    case other(String)

    /// Waits for the outcome of a call.
    public init(_ call: () async throws -> IPCValue) async {
        do {
            self = .success(try await call())
        } catch let error as RemoteError {
            self = .error(error)
        } catch let failure as RemoteFailure {
            self = .failure(failure.value)
        } catch is CancellationError {
            self = .cancelled
        } catch let end as ConnectionEnd {
            self = .ended(end)
        } catch {
            self = .other("\(error)")
        }
    }
}
