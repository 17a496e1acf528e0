// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
internal import NIOConcurrencyHelpers
public import ServiceLifecycle

/// A server as a service of swift-service-lifecycle: listens until the graceful shutdown, then lets what is outstanding
/// come to its end, and closes all connections.
///
/// ```swift
/// let service = IPCServerService(server, endpoints: [.unix("/run/app/main.sock")])
/// try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public struct IPCServerService<Context: Codable & Sendable>: Service {
    private let server: IPCServer<Context>
    private let endpoints: [ServerEndpoint]
    private let options: TransportOptions
    private let admission: IPCListener.Admission?
    private let drainTimeout: Duration
    private let finishing: @Sendable (IPCServer<Context>) async -> Void
    private let listening: @Sendable ([IPCListener]) -> Void

    /// Describes the service.
    ///
    /// - Parameters:
    ///   - server: The server, with its channels.
    ///   - endpoints: Where it listens.
    ///   - options: Bounds, deadlines and threads of the connections.
    ///   - admission: Judges each connection; nil lets everybody in.
    ///   - drainTimeout: How long `finishing` may take.
    ///   - finishing: Waits until nothing is outstanding, after the listeners were closed: unless told otherwise, until
    ///     all calls are answered, which is looked at every 10 ms. It is cancelled when the time is over.
    ///   - listening: Called when all listeners are open: for their ports, or to tell a supervisor.
    public init(
        _ server: IPCServer<Context>,
        endpoints: [ServerEndpoint],
        options: TransportOptions = TransportOptions(),
        admission: IPCListener.Admission? = nil,
        drainTimeout: Duration = .seconds(10),
        finishing: @escaping @Sendable (IPCServer<Context>) async -> Void = Self.finishCalls,
        listening: @escaping @Sendable ([IPCListener]) -> Void = { _ in }
    ) {
        self.server = server
        self.endpoints = endpoints
        self.options = options
        self.admission = admission
        self.drainTimeout = drainTimeout
        self.finishing = finishing
        self.listening = listening
    }

    /// Waits until all calls are answered.
    @Sendable
    public static func finishCalls(_ server: IPCServer<Context>) async {
        while server.connections.contains(where: { $0.channelServer.callCount > 0 }) {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
    }

    /// Serves until the graceful shutdown or the task's cancellation, which leaves out the waiting.
    ///
    /// - Throws: What `serve(_:options:admission:)` throws; ``ListenError`` when the system closes a
    ///   listener.
    public func run() async throws {
        var listeners: [IPCListener] = []
        do {
            for endpoint in endpoints {
                listeners.append(try await server.serve(endpoint, options: options, admission: admission))
            }
        } catch {
            await close(listeners)
            server.dispose()
            throw error
        }
        listening(listeners)
        let isWanted = await waitForTheEnd(of: listeners)
        await close(listeners)
        if !Task.isCancelled { await finish() }
        server.dispose()
        if isWanted { throw ListenError(.failed, "a listener was closed while the server was running") }
    }

    /// - Returns: Whether a listener has closed although nobody has asked for that.
    private func waitForTheEnd(of listeners: [IPCListener]) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            for listener in listeners {
                group.addTask {
                    await listener.waitUntilClosed()
                    return true
                }
            }
            group.addTask {
                // Throws when the task is cancelled, which ends the service too.
                try? await gracefulShutdown()
                return false
            }
            let isWanted = await group.next() ?? false
            group.cancelAll()
            // The others wait for what only closing brings about.
            for listener in listeners { await listener.close() }
            return isWanted
        }
    }

    private func close(_ listeners: [IPCListener]) async {
        for listener in listeners { await listener.close() }
    }

    /// Waits until nothing is outstanding, the time is over or the task is cancelled, whether or not `finishing` heeds
    /// that.
    private func finish() async {
        let end = FirstEnd()
        let work = Task { await finishing(server) }
        let clock = Task { try await Task.sleep(for: drainTimeout) }
        Task {
            await work.value
            end.come()
        }
        Task {
            _ = await clock.result
            end.come()
        }
        await withTaskCancellationHandler {
            await end.wait()
        } onCancel: {
            end.come()
        }
        work.cancel()
        clock.cancel()
    }
}

/// The first of several ends that may come; the others do nothing.
private final class FirstEnd: Sendable {
    private struct State {
        var hasCome = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = NIOLockedValueBox(State())

    func come() {
        let waiter = state.withLockedValue { state in
            state.hasCome = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func wait() async {
        await withCheckedContinuation { waiter in
            let hasCome = state.withLockedValue { state in
                if !state.hasCome { state.waiter = waiter }
                return state.hasCome
            }
            if hasCome { waiter.resume() }
        }
    }
}
