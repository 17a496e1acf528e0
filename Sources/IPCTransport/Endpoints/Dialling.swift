// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import TLSEngine

/// One attempt to connect: until the connection can be used, the time is over, or nobody wants it any more.
final class Dialling<Connection: Sendable>: Sendable {
    /// Told once that a channel can be used, or why it cannot.
    typealias Ready = (Result<Connection, ConnectionEnd>) -> Void

    private struct State {
        var isDone = false
        /// Those that are tried, of which one is used in the end: a name may have several addresses.
        var channels: [any NIOCore.Channel] = []
        var deadline: Scheduled<Void>?
    }

    /// A Unix socket whose queue is full does not tell when it no longer is.
    private var retryPause: TimeAmount { .milliseconds(20) }

    private let endpoint: ClientEndpoint
    private let setup: ChannelSetup
    private let eventLoop: any EventLoop
    private let outcome: EventLoopPromise<Connection>
    private let state = NIOLockedValueBox(State())
    private let install: @Sendable (ChannelSetup, any NIOCore.Channel) throws -> Void
    private let whenReady: @Sendable (any NIOCore.Channel, @escaping Ready) throws -> Void

    /// - Parameters:
    ///   - endpoint: What is dialled.
    ///   - applicationProtocol: What is spoken over TLS when the endpoint's configuration does not say.
    ///   - options: Bounds and deadlines.
    ///   - eventLoop: Where the connection will live; nil for any.
    ///   - install: Puts the handlers into a channel.
    ///   - whenReady: Tells when a channel with these handlers can be used.
    init(
        _ endpoint: ClientEndpoint,
        applicationProtocol: String = ChannelSetup.applicationProtocol,
        options: TransportOptions,
        eventLoop: (any EventLoop)? = nil,
        install: @escaping @Sendable (ChannelSetup, any NIOCore.Channel) throws -> Void,
        whenReady: @escaping @Sendable (any NIOCore.Channel, @escaping Ready) throws -> Void
    ) throws {
        self.endpoint = endpoint
        self.install = install
        self.whenReady = whenReady
        var setup = ChannelSetup(options: options)
        if case .tls(_, _, let configuration, let serverName) = endpoint.kind {
            setup.tls = try ChannelSetup.makeContext(configuration, .client, [applicationProtocol])
            setup.serverName = serverName
        }
        if case .unix(let path) = endpoint.kind, let problem = UnixListeningSocket.lengthProblem(path) {
            throw ConnectionEnd(.lost, problem)
        }
        self.setup = setup
        self.eventLoop = eventLoop ?? options.eventLoopGroup.next()
        outcome = self.eventLoop.makePromise()
    }

    /// Connects, and waits for it.
    func run() async throws -> Connection {
        try await withTaskCancellationHandler {
            let timeout = TimeAmount(setup.options.connectTimeout)
            let deadline = eventLoop.scheduleTask(in: timeout) {
                let seconds = Double(timeout.nanoseconds / 1_000_000) / 1_000
                self.finish(.failure(ConnectionEnd(.lost, "\(self.endpoint): no connection within \(seconds) s")))
            }
            let isDone = state.withLockedValue { state in
                state.deadline = deadline
                return state.isDone
            }
            if isDone { deadline.cancel() }
            dial()
            return try await outcome.futureResult.get()
        } onCancel: {
            finish(.failure(CancellationError()))
        }
    }

    private func dial() {
        guard !state.withLockedValue({ $0.isDone }) else { return }
        connect().whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error as IOError) where error.errnoCode == SystemCalls.tryAgain:
                self.eventLoop.scheduleTask(in: self.retryPause) { self.dial() }
            case .failure(let error):
                self.finish(.failure(ConnectionEnd(dialling: self.endpoint, error)))
            }
        }
    }

    private func connect() -> EventLoopFuture<any NIOCore.Channel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(setup.options.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.admit(channel)
                    try self.setup.apply(to: channel)
                    try self.install(self.setup, channel)
                }
            }
        switch endpoint.kind {
        case .unix(let path):
            return bootstrap.connect(to: SystemCalls.address(path))
        case .tcp(let host, let port), .tls(let host, let port, _, _):
            return ChannelSetup.keepAlive.reduce(bootstrap) { $0.channelOption($1.option, value: $1.value) }
                .connect(host: host, port: port)
        }
    }

    /// Remembers a channel that is tried, unless it is too late for it.
    private func admit(_ channel: any NIOCore.Channel) throws {
        let isLate = state.withLockedValue { state in
            if !state.isDone { state.channels.append(channel) }
            return state.isDone
        }
        if isLate { throw CancellationError() }
    }

    /// The socket is connected; with TLS there is more to wait for. On the event loop.
    private func connected(_ channel: any NIOCore.Channel) {
        do {
            try whenReady(channel) { result in
                switch result {
                case .success(let connection): self.finish(.success(connection))
                case .failure(let end): self.finish(.failure(ConnectionEnd(dialling: self.endpoint, end)))
                }
            }
        } catch {
            finish(.failure(ConnectionEnd(dialling: endpoint, error)))
        }
    }

    /// The first outcome counts.
    private func finish(_ result: Result<Connection, any Error>) {
        let before = state.withLockedValue { state in
            let before = state
            state = State(isDone: true)
            return before
        }
        guard !before.isDone else { return }
        before.deadline?.cancel()
        if case .failure = result {
            for channel in before.channels { channel.close(promise: nil) }
        }
        outcome.completeWith(result)
    }
}

extension PlainConnection {
    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - endpoint: Where it is.
    ///   - options: Bounds, deadlines and threads.
    /// - Returns: The connection; with TLS its handshake is complete, as this side sees it: a server of TLS 1.3 refuses a
    ///   client's certificate only afterwards, and then the receiver hears of it as the end of the connection.
    /// - Throws: `ConnectionEnd` when that fails or takes longer than ``TransportOptions/connectTimeout``,
    ///   `TLSConfigurationError` for certificates that cannot be used, `CancellationError` when the task is cancelled.
    public static func connect(
        to endpoint: ClientEndpoint,
        options: TransportOptions = TransportOptions()
    ) async throws -> PlainConnection {
        let dialling = try Dialling<PlainConnection>(
            endpoint,
            options: options,
            install: { setup, channel in _ = try setup.install(in: channel) },
            whenReady: { channel, ready in
                let handler = try channel.pipeline.syncOperations.handler(type: PlainHandler.self)
                let connection = PlainConnection(channel: channel, handler: handler)
                handler.callWhenReady { result in ready(result.map { connection }) }
            }
        )
        return try await dialling.run()
    }
}
