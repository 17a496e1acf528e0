// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The other end of a connection, as a place to send named messages to (what Electron calls `webContents`).
///
/// Thread-safe.
public struct MessagePeer<Context: Sendable>: Sendable {
    /// The connection to it.
    public let connection: Connection<Context>

    init(_ connection: Connection<Context>) {
        self.connection = connection
    }

    /// Who the client of the connection said it is.
    public var context: Context { connection.context }

    /// Sends a message that wants no answer. It leaves in order with everything else; when the connection has ended it is
    /// lost, and so it is when nobody listens for it.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - arguments: What it carries.
    public func send(_ name: IPCString, _ arguments: IPCValue...) {
        send(name, arguments: arguments)
    }

    /// Sends a message that wants no answer.
    public func send(_ name: IPCString, arguments: [IPCValue]) {
        connection.channelClient.post(MessageChannel.messages, name, .array(arguments))
    }

    /// Sends a message to its handler and waits for the answer.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - arguments: What it carries.
    /// - Returns: What the handler returned.
    /// - Throws: As ``Channel/call(_:_:)``; a ``RemoteError`` too when there is no handler for it.
    public func invoke(_ name: IPCString, _ arguments: IPCValue...) async throws -> IPCValue {
        try await connection.channel(MessageChannel.handlers).call(name, .array(arguments))
    }
}
