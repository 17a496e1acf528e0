// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Chooses the client that a call or a subscription of the server goes to (VS Code's `IClientRouter`).
public protocol ConnectionRouter<Context>: Sendable {
    /// What a connection announces when it opens.
    associatedtype Context: Sendable

    /// Chooses the connection for a call.
    ///
    /// - Parameters:
    ///   - hub: Who is connected.
    ///   - command: The name of the command.
    ///   - argument: The argument.
    /// - Throws: What the call then fails with.
    func routeCall(
        _ hub: any ConnectionHub<Context>,
        _ command: IPCString,
        _ argument: IPCValue
    ) async throws -> Connection<Context>

    /// Chooses the connection for a subscription.
    ///
    /// - Parameters:
    ///   - hub: Who is connected.
    ///   - event: The name of the event.
    ///   - argument: The argument.
    /// - Throws: What the event then ends with.
    func routeEvent(
        _ hub: any ConnectionHub<Context>,
        _ event: IPCString,
        _ argument: IPCValue
    ) async throws -> Connection<Context>
}

/// Takes the first connection, in the order in which they came, whose context fits; waits for one if there is none (VS
/// Code's `StaticRouter`).
public struct StaticRouter<Context: Sendable>: ConnectionRouter {
    private let fits: @Sendable (Context) async throws -> Bool

    /// Creates a router.
    ///
    /// - Parameter fits: Whether a client with this context is the one. It may take its time.
    public init(_ fits: @escaping @Sendable (Context) async throws -> Bool) {
        self.fits = fits
    }

    /// The first connection that fits.
    public func routeCall(
        _ hub: any ConnectionHub<Context>,
        _ command: IPCString,
        _ argument: IPCValue
    ) async throws -> Connection<Context> {
        try await route(hub)
    }

    /// The first connection that fits.
    public func routeEvent(
        _ hub: any ConnectionHub<Context>,
        _ event: IPCString,
        _ argument: IPCValue
    ) async throws -> Connection<Context> {
        try await route(hub)
    }

    private func route(_ hub: any ConnectionHub<Context>) async throws -> Connection<Context> {
        try await hub.firstConnection { connections in
            for connection in connections where try await fits(connection.context) { return connection }
            return nil
        }
    }
}
