// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Named messages at a client's end, in the style of Electron's `ipcRenderer`.
///
/// ```swift
/// let renderer = RendererMessages(client)
/// renderer.send("log", "started")
/// let answer = try await renderer.invoke("open-file", "/etc/motd")
/// let subscription = renderer.on("theme-changed") { arguments in print(arguments) }
/// ```
///
/// Thread-safe. Messages are delivered in order. It keeps the client alive.
public final class RendererMessages<Context: Codable & Sendable>: Sendable {
    private let client: IPCClient<Context>
    private let table = MessageTable<Void>()

    /// Offers named messages over a client's connection.
    public init(_ client: IPCClient<Context>) {
        self.client = client
        let messages = MessageServer<Context, Void>(table: table, sender: (), isAnswered: false)
        let handlers = MessageServer<Context, Void>(table: table, sender: (), isAnswered: true)
        client.registerChannel(MessageChannel.messages, messages)
        client.registerChannel(MessageChannel.handlers, handlers)
    }

    /// The server's end.
    public var main: MessagePeer<Context> { MessagePeer(client.connection) }

    /// Sends a message to the server that wants no answer. See ``MessagePeer/send(_:_:)``.
    public func send(_ name: IPCString, _ arguments: IPCValue...) {
        main.send(name, arguments: arguments)
    }

    /// Sends a message to its handler at the server and waits for the answer. See ``MessagePeer/invoke(_:_:)``.
    public func invoke(_ name: IPCString, _ arguments: IPCValue...) async throws -> IPCValue {
        try await client.channel(MessageChannel.handlers).call(name, .array(arguments))
    }

    /// Listens for a message from the server.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - listener: Called with each, in order, on the thread that receives it; it must not block.
    /// - Returns: Ends the listening when it is cancelled or released.
    public func on(_ name: IPCString, _ listener: @escaping @Sendable ([IPCValue]) -> Void) -> EventSubscription {
        table.on(name) { _, arguments in listener(arguments) }
    }

    /// Answers a message that the server invokes. A handler for the same name is replaced.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - handler: Gives the answer. What it throws fails the call.
    public func handle(_ name: IPCString, _ handler: @escaping @Sendable ([IPCValue]) async throws -> IPCValue) {
        table.handle(name) { _, arguments in try await handler(arguments) }
    }

    /// Ends the answering of a message.
    public func removeHandler(_ name: IPCString) {
        table.removeHandler(name)
    }
}
