// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
internal import Synchronization

/// Named messages at the server's end, in the style of Electron's `ipcMain`.
///
/// ```swift
/// let main = MainMessages(server)
/// let subscription = main.on("log") { event, arguments in
///     event.sender.send("logged", arguments[0])
/// }
/// main.handle("open-file") { event, arguments in "opened for \(event.sender.context)" }
/// main.sendToAll("theme-changed", "dark")
/// ```
///
/// Thread-safe. Messages of one sender are delivered in order. Keep it for as long as messages are wanted.
public final class MainMessages<Context: Codable & Sendable>: Sendable {
    /// What a listener or a handler is told about a message.
    public struct Event: Sendable {
        /// Who sent it; reply with its ``MessagePeer/send(_:_:)``.
        public let sender: MessagePeer<Context>
    }

    private let server: IPCServer<Context>
    private let table = MessageTable<Event>()
    private let watching = Mutex<EventSubscription?>(nil)

    /// Offers named messages to all clients of a server, those that are connected and those that come.
    public init(_ server: IPCServer<Context>) {
        self.server = server
        let subscription = server.onDidAddConnection.subscribe { [table] connection in
            Self.register(table, on: connection)
        }
        watching.withLock { $0 = subscription }
        for connection in server.connections { Self.register(table, on: connection) }
    }

    /// Everyone who is connected.
    public var peers: [MessagePeer<Context>] {
        server.connections.map { MessagePeer($0) }
    }

    /// Listens for a message.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - listener: Called with each, in order, on the thread that receives it; it must not block.
    /// - Returns: Ends the listening when it is cancelled or released.
    public func on(
        _ name: IPCString,
        _ listener: @escaping @Sendable (Event, [IPCValue]) -> Void
    ) -> EventSubscription {
        table.on(name, listener)
    }

    /// Answers a message that somebody invokes. A handler for the same name is replaced.
    ///
    /// - Parameters:
    ///   - name: The name of the message.
    ///   - handler: Gives the answer. What it throws fails the call, as in ``ServerChannel/call(_:_:_:)``.
    public func handle(
        _ name: IPCString,
        _ handler: @escaping @Sendable (Event, [IPCValue]) async throws -> IPCValue
    ) {
        table.handle(name, handler)
    }

    /// Ends the answering of a message.
    public func removeHandler(_ name: IPCString) {
        table.removeHandler(name)
    }

    /// Sends a message to everyone who is connected.
    public func sendToAll(_ name: IPCString, _ arguments: IPCValue...) {
        for peer in peers { peer.send(name, arguments: arguments) }
    }

    private static func register(_ table: MessageTable<Event>, on connection: Connection<Context>) {
        let event = Event(sender: MessagePeer(connection))
        let messages = MessageServer<Context, Event>(table: table, sender: event, isAnswered: false)
        let handlers = MessageServer<Context, Event>(table: table, sender: event, isAnswered: true)
        connection.registerChannel(MessageChannel.messages, messages)
        connection.registerChannel(MessageChannel.handlers, handlers)
    }
}
