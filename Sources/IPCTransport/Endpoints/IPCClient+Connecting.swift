// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
public import NIOCore

extension IPCClient {
    /// Connects to a server and announces the context. Calls may be made at once: they leave when the server has
    /// accepted it, which `waitUntilReady()` waits for.
    ///
    /// ```swift
    /// let client = try await IPCClient.connect(to: .unix("/run/app/main.sock"), context: "window:1")
    /// ```
    ///
    /// - Parameters:
    ///   - endpoint: Where the server is.
    ///   - context: Who this client says it is. A gateway may put another in its place.
    ///   - options: Of the channels.
    ///   - transport: Bounds, deadlines and threads.
    /// - Throws: `ConnectionEnd` when that fails or takes too long, `TLSConfigurationError` for certificates that
    ///   cannot be used, `EncodingError` when the context cannot be announced, `CancellationError` when the task is
    ///   cancelled.
    public static func connect(
        to endpoint: ClientEndpoint,
        context: Context,
        options: ConnectionOptions = ConnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> IPCClient {
        let connection = try await PlainConnection.connect(to: endpoint, options: transport)
        return try IPCClient(over: connection, context: context, options: options)
    }

    /// Opens a session that outlives its connections, and announces the context. When a connection is lost another takes its
    /// place; calls and events go on as if nothing had happened, and fail only when the session does.
    ///
    /// - Parameters:
    ///   - endpoints: Where the server is, in the order in which the addresses are tried.
    ///   - context: Who this client says it is. A gateway may put another in its place.
    ///   - reconnection: When to dial again, and what the session keeps to.
    ///   - options: Of the channels.
    ///   - transport: Bounds, deadlines and threads.
    /// - Returns: The client, and what carries it, which tells how the session is doing.
    /// - Throws: What ``PersistentConnection/connect(to:options:transport:)`` throws, and `EncodingError` when the context
    ///   cannot be announced.
    public static func connectPersistently(
        to endpoints: [ClientEndpoint],
        context: Context,
        reconnection: ReconnectionOptions = ReconnectionOptions(),
        options: ConnectionOptions = ConnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> (client: IPCClient, connection: PersistentConnection) {
        let connection = try await PersistentConnection.connect(
            to: endpoints,
            options: reconnection,
            transport: transport
        )
        return (try IPCClient(over: connection, context: context, options: options), connection)
    }

    /// Talks over a channel that is connected; see ``PlainConnection/adopt(_:options:)``.
    ///
    /// - Parameters:
    ///   - channel: The channel, which belongs to the client from now on.
    ///   - context: Who this client says it is.
    ///   - options: Of the channels.
    ///   - transport: Bounds and deadlines.
    public static func adopt(
        _ channel: any NIOCore.Channel,
        context: Context,
        options: ConnectionOptions = ConnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> IPCClient {
        let connection = try await PlainConnection.adopt(channel, options: transport)
        return try IPCClient(over: connection, context: context, options: options)
    }

    /// Talks over a stream socket that is connected; see ``PlainConnection/adopt(descriptor:options:)``.
    ///
    /// - Parameters:
    ///   - descriptor: The socket, which belongs to the client from now on.
    ///   - context: Who this client says it is.
    ///   - options: Of the channels.
    ///   - transport: Bounds, deadlines and threads.
    public static func adopt(
        descriptor: Int32,
        context: Context,
        options: ConnectionOptions = ConnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> IPCClient {
        let connection = try await PlainConnection.adopt(descriptor: descriptor, options: transport)
        return try IPCClient(over: connection, context: context, options: options)
    }
}
