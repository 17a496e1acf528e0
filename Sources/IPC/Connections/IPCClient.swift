// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The connecting side: announces who it is, asks the server, and answers what the server asks (VS Code's `IPCClient`).
///
/// Keep it, or a channel of it: when the last reference is gone the connection is closed.
public final class IPCClient<Context: Codable & Sendable>: Sendable {
    /// The connection. At this end its context is the client's own.
    public let connection: Connection<Context>

    /// Connects over something that carries messages: announces the context and says that requests are welcome.
    ///
    /// Calls may be made at once; they are sent when the server is ready.
    ///
    /// - Parameters:
    ///   - transport: What carries the messages. Nobody else may use it.
    ///   - context: Who this client is. Anything that is `Codable`; strings are what VS Code uses on one machine.
    ///   - options: What can be chosen.
    /// - Throws: `EncodingError` when the context cannot be announced.
    public init(
        over transport: any MessagePassingProtocol,
        context: Context,
        options: ConnectionOptions = ConnectionOptions()
    ) throws {
        let announcement = IPCMessage.context(try IPCValueEncoder().encode(context))
        let transport = TracedTransport.wrap(transport, options)
        connection = Connection(over: transport, context: context, options: options)
        transport.start(delivering: ClientReceiver(connection))
        transport.send(announcement)
        connection.channelServer.sendInitialize()
    }

    deinit {
        connection.dispose()
    }

    /// Who this client says it is.
    public var context: Context { connection.context }

    /// A channel of the server. It keeps the client alive.
    public func channel(_ name: IPCString) -> any Channel {
        RemoteChannel(client: connection.channelClient, name: name, owner: self)
    }

    /// Offers a channel to the server. Its handlers are told this client's own context.
    public func registerChannel(_ name: IPCString, _ channel: some ServerChannel<Context>) {
        connection.registerChannel(name, channel)
    }

    /// Waits until the server is ready for requests. Not needed before calls; it tells that there is somebody.
    ///
    /// - Throws: ``ConnectionEnd`` when the connection ends instead.
    public func waitUntilReady() async throws {
        try await connection.channelClient.waitUntilReady()
    }

    /// Fires once, when the connection has ended.
    public var onDidClose: Event<ConnectionEnd> { connection.onDidClose }

    /// Waits until the connection has ended.
    public func waitUntilClosed() async -> ConnectionEnd {
        await connection.waitUntilClosed()
    }

    /// Closes the connection: calls that wait fail, handlers are cancelled, events end.
    public func dispose() {
        connection.dispose()
    }
}

/// Passes what comes to a connection until it ends.
private final class ClientReceiver<Context: Sendable>: MessageReceiver {
    private let connection: Connection<Context>

    init(_ connection: Connection<Context>) {
        self.connection = connection
    }

    func receive(_ message: [UInt8]) {
        connection.receive(message)
    }

    func connectionEnded(_ end: ConnectionEnd) {
        connection.connectionEnded(end)
    }
}
