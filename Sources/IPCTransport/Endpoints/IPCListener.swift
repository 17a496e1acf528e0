// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
public import NIOCore
internal import NIOPosix
internal import Synchronization
internal import TLSEngine

/// Where a server listens, until it is closed. Letting go of it does not close it.
public final class IPCListener: Sendable {
    /// Judges a connection that was accepted, on its event loop, before anything of it is read; what it throws refuses
    /// it. A `ConnectionEnd` is told the client with its reason, anything else only that it was refused.
    public typealias Admission = @Sendable (PlainConnection) throws -> Void

    /// Where it listens; with TCP the port is the one that the system has chosen.
    public let address: SocketAddress
    private let channel: any NIOCore.Channel
    private let file: UnixListeningSocket?
    private let isClosing: Flag

    /// What the listener and the connections that it accepts share.
    private final class Flag: Sendable {
        let value = Atomic(false)
    }

    /// How many connections may wait to be accepted; the system cuts it down to its own bound (net.core.somaxconn).
    private static let backlog: Int32 = 4_096

    /// The port, for TCP.
    public var port: Int? { address.port }

    private init(address: SocketAddress, channel: any NIOCore.Channel, file: UnixListeningSocket?, isClosing: Flag) {
        self.address = address
        self.channel = channel
        self.file = file
        self.isClosing = isClosing
    }

    /// Listens.
    ///
    /// Connections are independent: what goes wrong with one ends that one. When the process has no descriptors left,
    /// those who connect wait.
    ///
    /// - Parameters:
    ///   - endpoint: Where.
    ///   - options: Bounds, deadlines and threads of the connections.
    ///   - admission: Judges each connection; nil lets everybody in.
    ///   - accept: Gets each connection, with TLS when its handshake is complete. It is called on the connection's event
    ///     loop, so it must not block; and it has to start the connection, now or later.
    /// - Throws: ``ListenError``; `TLSConfigurationError` for certificates that cannot be used.
    public static func open(
        _ endpoint: ServerEndpoint,
        options: TransportOptions = TransportOptions(),
        admission: Admission? = nil,
        accept: @escaping @Sendable (PlainConnection) -> Void
    ) async throws -> IPCListener {
        let setup = try makeSetup(endpoint, options, [ChannelSetup.applicationProtocol])
        let isClosing = Flag()
        let bootstrap = makeBootstrap(setup) { channel in
            let handler = try setup.install(in: channel)
            welcome(handler, in: channel, isClosing, admission, accept)
        }
        return try await bind(endpoint, bootstrap, isClosing)
    }

    /// Listens for sessions that outlive their connections. With TLS the client says which protocol it speaks, and both
    /// are heard; without, only the persistent one is.
    ///
    /// All connections live on one event loop. When the listener is closed, clients with a session are asked to go
    /// (``PersistentConnection/State/goingAway(reason:)``), and sessions that wait for their client end.
    ///
    /// - Parameters:
    ///   - endpoint: Where.
    ///   - sessions: How long sessions are kept, and how many.
    ///   - options: Bounds, deadlines and threads of the connections.
    ///   - admission: Judges each connection, also those with which clients come back; nil lets everybody in.
    ///   - acceptSession: Gets each new session, on its event loop, and has to start it, now or later.
    ///   - accept: Gets each connection of the plain protocol, as in ``open(_:options:admission:accept:)``.
    /// - Throws: ``ListenError``; `TLSConfigurationError` for certificates that cannot be used.
    public static func open(
        _ endpoint: ServerEndpoint,
        sessions: SessionHosting,
        options: TransportOptions = TransportOptions(),
        admission: (@Sendable (ConnectingPeer) throws -> Void)? = nil,
        acceptSession: @escaping @Sendable (PersistentConnection) -> Void,
        accept: @escaping @Sendable (PlainConnection) -> Void
    ) async throws -> IPCListener {
        let names = [PersistentConnection.applicationProtocol, ChannelSetup.applicationProtocol]
        let setup = try makeSetup(endpoint, options, names)
        let isClosing = Flag()
        let eventLoop = options.eventLoopGroup.next()
        let host = try await eventLoop.submit {
            let host = SessionHost(
                sessions,
                eventLoop: eventLoop,
                transport: options,
                admission: admission,
                accept: acceptSession
            )
            return NIOLoopBound(host, eventLoop: eventLoop)
        }.get()
        let plainAdmission: Admission = { connection in try admission?(ConnectingPeer(connection)) }
        let bootstrap = makeBootstrap(setup, children: eventLoop) { channel in
            let chooser = ProtocolChooser(setup, host: host.value) { handler in
                welcome(handler, in: channel, isClosing, plainAdmission, accept)
            }
            try chooser.install(in: channel)
        }
        let listener = try await bind(endpoint, bootstrap, isClosing)
        listener.channel.closeFuture.whenComplete { _ in eventLoop.execute { host.value.close() } }
        return listener
    }

    private static func makeSetup(
        _ endpoint: ServerEndpoint,
        _ options: TransportOptions,
        _ applicationProtocols: [String]
    ) throws -> ChannelSetup {
        var setup = ChannelSetup(options: options)
        if case .tls(_, _, let configuration) = endpoint.kind {
            setup.tls = try ChannelSetup.makeContext(configuration, .server, applicationProtocols)
        }
        return setup
    }

    /// Hands over a connection of the plain protocol, when it can be used. On its event loop.
    private static func welcome(
        _ handler: PlainHandler,
        in channel: any NIOCore.Channel,
        _ isClosing: Flag,
        _ admission: Admission?,
        _ accept: @escaping @Sendable (PlainConnection) -> Void
    ) {
        handler.callWhenReady { result in
            guard case .success = result else { return }
            let connection = PlainConnection(channel: channel, handler: handler)
            guard !isClosing.value.load(ordering: .relaxed) else {
                return connection.refuse(code: "draining", reason: "the server does not take new connections any more")
            }
            do {
                try admission?(connection)
                accept(connection)
            } catch {
                let reason = (error as? ConnectionEnd)?.reason ?? "the server refuses this client"
                connection.refuse(code: "not-allowed", reason: reason)
            }
        }
    }

    private static func bind(
        _ endpoint: ServerEndpoint,
        _ bootstrap: ServerBootstrap,
        _ isClosing: Flag
    ) async throws -> IPCListener {
        switch endpoint.kind {
        case .unix(let path, let mode, let owner):
            // The calls for the file may block for a moment.
            let socket = try await NIOThreadPool.singleton.runIfActive {
                try UnixListeningSocket.open(path: path, mode: mode, owner: owner, backlog: backlog)
            }
            do {
                let address = SystemCalls.address(path)
                let channel = try await bootstrap.withBoundSocket(socket.descriptor).get()
                return IPCListener(address: address, channel: channel, file: socket, isClosing: isClosing)
            } catch {
                socket.removeFile()
                throw ListenError(.failed, "cannot listen on \(endpoint): \(error)")
            }
        case .tcp(let host, let port), .tls(let host, let port, _):
            do {
                let channel = try await ChannelSetup.keepAlive
                    .reduce(bootstrap) { $0.childChannelOption($1.option, value: $1.value) }
                    .bind(host: host, port: port)
                    .get()
                guard let address = channel.localAddress else {
                    try? await channel.close()
                    throw ListenError(.failed, "cannot listen on \(endpoint): it has no address")
                }
                return IPCListener(address: address, channel: channel, file: nil, isClosing: isClosing)
            } catch let error as IOError {
                let code: ListenError.Code = error.errnoCode == SystemCalls.addressInUse ? .inUse : .failed
                throw ListenError(code, "cannot listen on \(endpoint): \(SystemCalls.text(of: error.errnoCode))")
            } catch let error as ListenError {
                throw error
            } catch {
                throw ListenError(.failed, "cannot listen on \(endpoint): \(error)")
            }
        }
    }

    private static func makeBootstrap(
        _ setup: ChannelSetup,
        children: (any EventLoop)? = nil,
        _ install: @escaping @Sendable (any NIOCore.Channel) throws -> Void
    ) -> ServerBootstrap {
        let group = setup.options.eventLoopGroup
        return ServerBootstrap(group: group, childGroup: children ?? group)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try setup.apply(to: channel)
                    try install(channel)
                }
            }
    }

    /// Stops listening; a Unix socket's file is removed, if it is still this listener's. Connections that were accepted
    /// go on. Doing it twice does nothing.
    public func close() async {
        if !isClosing.value.exchange(true, ordering: .relaxed), let file {
            // Also when the task that closes has been cancelled, as that of a server that is stopped.
            let loop = channel.eventLoop
            try? await NIOThreadPool.singleton.runIfActive(eventLoop: loop) { file.removeFile() }.get()
        }
        // An error only says that it was closed already.
        try? await channel.close()
    }

    /// Waits until it has stopped listening, because it was closed or because the system has closed it.
    public func waitUntilClosed() async {
        try? await channel.closeFuture.get()
    }
}
