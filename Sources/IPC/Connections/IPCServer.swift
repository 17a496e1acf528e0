// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
internal import Synchronization

/// The accepting side: serves its channels to every client that connects, and asks clients through channels of theirs (VS
/// Code's `IPCServer`).
///
/// Thread-safe. `Context` is what clients announce themselves with: `String`, as with VS Code, or anything `Codable`.
public final class IPCServer<Context: Codable & Sendable>: ConnectionHub {
    private struct State {
        /// In the order of registration.
        var channels: [(name: IPCString, channel: any ServerChannel<Context>)] = []
        var connections: [Connection<Context>] = []
        /// Clients that have not said who they are.
        var openings: [ObjectIdentifier: any MessagePassingProtocol] = [:]
        var isDisposed = false
        /// Connections that have left the others, and of which that is being told.
        var leavingCount = 0

        /// Whether nobody will leave any more.
        var isOver: Bool { isDisposed && connections.isEmpty && leavingCount == 0 }
    }

    private let options: ConnectionOptions
    private let state = Mutex(State())
    private let added = EventEmitter<Connection<Context>>()
    private let removed = EventEmitter<Connection<Context>>()

    /// Creates a server without channels and connections. See ``accept(_:)``, and the module `IPCTransport` for sockets.
    ///
    /// - Parameter options: What can be chosen about each connection.
    public init(options: ConnectionOptions = ConnectionOptions()) {
        self.options = options
    }

    deinit {
        dispose()
    }

    /// The connections that are open, in the order in which they came.
    public var connections: [Connection<Context>] {
        state.withLock { $0.connections }
    }

    /// Clients that have connected and not said who they are yet.
    public var openingCount: Int {
        state.withLock { $0.openings.count }
    }

    /// Fires when a client has said who it is. Ends when the server is disposed of.
    public var onDidAddConnection: Event<Connection<Context>> { added.event }

    /// Fires when a client has gone. Ends when the server is disposed of and all have gone.
    public var onDidRemoveConnection: Event<Connection<Context>> { removed.event }

    /// Offers a channel to all clients, those that are connected and those that come.
    public func registerChannel(_ name: IPCString, _ channel: some ServerChannel<Context>) {
        // What is replaced is released outside of the lock: nobody knows what it does when it goes.
        let replaced = state.withLock { state -> (any ServerChannel<Context>)? in
            guard !state.isDisposed else { return nil }
            let place = state.channels.firstIndex { $0.name == name }
            let replaced = place.map { state.channels.remove(at: $0).channel }
            state.channels.append((name, channel))
            // Under the lock, or a connection that opens in this moment could be left with what was registered before.
            for connection in state.connections { connection.registerChannel(name, channel) }
            return replaced
        }
        withExtendedLifetime(replaced) {}
    }

    /// Serves one client over something that carries messages, until it ends.
    ///
    /// - Parameter transport: What carries the messages. Nobody else may use it.
    public func accept(_ transport: any MessagePassingProtocol) {
        let transport = TracedTransport.wrap(transport, options)
        let isAccepted = state.withLock { state in
            guard !state.isDisposed else { return false }
            state.openings[ObjectIdentifier(transport)] = transport
            return true
        }
        let receiver = ServerReceiver(server: self, transport: transport, timeout: options.contextTimeout)
        transport.start(delivering: receiver)
        if !isAccepted { transport.close(.disposed) }
    }

    /// Ends all connections. Clients that come later are refused.
    public func dispose() {
        let (connections, openings, channels, isOver) = state.withLock { state in
            state.isDisposed = true
            // Channels often refer to the server.
            defer { state.channels = [] }
            return (state.connections, state.openings.values, state.channels, state.isOver)
        }
        for connection in connections { connection.dispose() }
        for transport in openings { transport.close(.disposed) }
        added.finish()
        if isOver { removed.finish() }
        withExtendedLifetime(channels) {}
    }

    // MARK: Opening and ending

    /// A client has said who it is.
    fileprivate func open(
        _ transport: any MessagePassingProtocol,
        announcing message: [UInt8]
    ) throws -> Connection<Context>? {
        let decoder = ValueDecoder(mode: options.decoding, limits: options.limits)
        let context = try IPCValueDecoder().decode(Context.self, from: try decoder.decode(message.span))
        let connection = Connection(over: transport, context: context, options: options)
        connection.channelServer.sendInitialize()
        let isOpen = state.withLock { state in
            guard !state.isDisposed else { return false }
            state.openings[ObjectIdentifier(transport)] = nil
            for (name, channel) in state.channels { connection.registerChannel(name, channel) }
            state.connections.append(connection)
            return true
        }
        guard isOpen else { return nil }
        added.fire(connection)
        return connection
    }

    fileprivate func ended(
        _ transport: any MessagePassingProtocol,
        _ connection: Connection<Context>?,
        _ end: ConnectionEnd
    ) {
        guard let connection else {
            state.withLock { _ = $0.openings.removeValue(forKey: ObjectIdentifier(transport)) }
            return
        }
        connection.connectionEnded(end) {
            state.withLock { state in
                state.connections.removeAll { $0 === connection }
                state.leavingCount += 1
            }
            removed.fire(connection)
            let isOver = state.withLock { state in
                state.leavingCount -= 1
                return state.isOver
            }
            if isOver { removed.finish() }
        }
    }
}

/// Waits for the context of a client and passes what comes after it to the connection.
private final class ServerReceiver<Context: Codable & Sendable>: MessageReceiver {
    private struct State {
        var connection: Connection<Context>?
        var timer: Task<Void, Never>?
        var isDeaf = false
    }

    private let server: IPCServer<Context>
    private let transport: any MessagePassingProtocol
    private let state: Mutex<State>

    init(server: IPCServer<Context>, transport: any MessagePassingProtocol, timeout: Duration) {
        self.server = server
        self.transport = transport
        state = Mutex(State())
        let timer = Task { [weak transport] in
            guard (try? await Task.sleep(for: timeout)) != nil else { return }
            transport?.close(ConnectionEnd(.noContext, "the client did not say who it is within \(timeout)"))
        }
        state.withLock { $0.timer = timer }
    }

    func receive(_ message: [UInt8]) {
        let (connection, isDeaf) = state.withLock { ($0.connection, $0.isDeaf) }
        if let connection { return connection.receive(message) }
        guard !isDeaf else { return }
        do {
            let connection = try server.open(transport, announcing: message)
            let timer = state.withLock { state in
                state.connection = connection
                state.isDeaf = connection == nil
                defer { state.timer = nil }
                return state.timer
            }
            timer?.cancel()
            if connection == nil { transport.close(.disposed) }
        } catch {
            state.withLock { $0.isDeaf = true }
            transport.close(ConnectionEnd(.malformed, "nobody can read who the client says it is: \(error)"))
        }
    }

    func connectionEnded(_ end: ConnectionEnd) {
        let (connection, timer) = state.withLock { state in
            defer { state.timer = nil }
            return (state.connection, state.timer)
        }
        timer?.cancel()
        server.ended(transport, connection, end)
    }
}
