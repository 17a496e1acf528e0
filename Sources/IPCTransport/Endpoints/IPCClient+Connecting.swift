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
