// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A Unix socket whose clients, programs that speak the plain protocol, are each carried to a gateway by a session of
/// their own, which outlives the loss of its connections.
///
/// Only programs of this process's user, and of root, are let in.
package final class Tunnel: Sendable {
    /// How many clients there may be at once, unless somebody says otherwise.
    package static let usualMaximumClients = 256

    /// The bounds of a tunnel.
    package struct Options: Sendable {
        /// How many clients there may be at once.
        package var maximumClients = Tunnel.usualMaximumClients
        /// Of the local connections.
        package var transport: TransportOptions

        /// The defaults; see the properties.
        package init() {
            transport = TransportOptions()
            // A client that reads nothing holds its own session up and nobody else: a program that is stopped in a
            // debugger is not cut off.
            transport.stallTimeout = .seconds(7 * 24 * 3_600)
            // When its session ends it still gets what was said before, should it go on within this time.
            transport.leavingTimeout = TunnelledClient.farewellLimit
        }
    }

    /// Makes the session of a client.
    package typealias Dial = TunnelledClient.Dial
    /// Is told what happens to clients, which are numbered from 1; from several threads.
    package typealias Observer = @Sendable (_ client: Int, TunnelHappening) -> Void

    private let listener: IPCListener
    private let clients: TunnelClients

    private init(listener: IPCListener, clients: TunnelClients) {
        self.listener = listener
        self.clients = clients
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: Where the clients connect to; the file has the mode 0600. A socket's file that nobody listens at any more
    ///     is replaced.
    ///   - options: Bounds.
    ///   - dial: Makes the session of a client.
    ///   - observer: Is told what happens.
    /// - Throws: ``ListenError``.
    package static func open(
        _ path: String,
        options: Options = Options(),
        dial: @escaping Dial,
        observer: @escaping Observer
    ) async throws -> Tunnel {
        let clients = TunnelClients(options: options, dial: dial, observe: observer)
        let listener = try await IPCListener.open(.unix(path), options: options.transport) { clients.admit($0) }
        return Tunnel(listener: listener, clients: clients)
    }

    /// How each client is now.
    package var snapshots: [TunnelledClient.Snapshot] {
        clients.all.map(\.snapshot)
    }

    /// Waits until it has stopped listening, because it was stopped or because the system has closed its socket.
    package func waitUntilClosed() async {
        await listener.waitUntilClosed()
    }

    /// Stops listening, removes the socket's file and ends all clients in order.
    ///
    /// - Parameter limit: How long the clients may take.
    /// - Returns: How many had not ended by then.
    @discardableResult
    package func stop(within limit: Duration) async -> Int {
        clients.stopAdmitting()
        await listener.close()
        for client in clients.all { client.stop() }
        let deadline = ContinuousClock.now + limit
        while true {
            let count = clients.all.count
            // Not by `Task.sleep` alone: whoever stops it may have been cancelled, and then that does not wait.
            guard count > 0, ContinuousClock.now < deadline else { return count }
            await Task.detached { try? await Task.sleep(for: .milliseconds(10)) }.value
        }
    }
}
