// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import TLSEngine

/// One attempt to connect: until the connection can be used, the time is over, or nobody wants it any more.
final class Dialling: Sendable {
    private struct State {
        var isDone = false
        /// Those that are tried, of which one is used in the end: a name may have several addresses.
        var channels: [any NIOCore.Channel] = []
        var deadline: Scheduled<Void>?
    }

    /// A Unix socket whose queue is full does not tell when it no longer is.
    private static let retryPause = TimeAmount.milliseconds(20)

    private let endpoint: ClientEndpoint
    private let setup: ChannelSetup
    private let eventLoop: any EventLoop
    private let outcome: EventLoopPromise<PlainConnection>
    private let state = NIOLockedValueBox(State())

    init(_ endpoint: ClientEndpoint, options: TransportOptions) throws {
        self.endpoint = endpoint
        var setup = ChannelSetup(options: options)
        if case .tls(_, _, let configuration, let serverName) = endpoint.kind {
            setup.tls = try ChannelSetup.makeContext(configuration, .client)
            setup.serverName = serverName
        }
        if case .unix(let path) = endpoint.kind, let problem = UnixListeningSocket.lengthProblem(path) {
            throw ConnectionEnd(.lost, problem)
        }
        self.setup = setup
        eventLoop = options.eventLoopGroup.next()
        outcome = eventLoop.makePromise()
    }

    /// Connects, and waits for it.
    func run() async throws -> PlainConnection {
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
                self.eventLoop.scheduleTask(in: Self.retryPause) { self.dial() }
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
                    _ = try self.setup.install(in: channel)
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
            let handler = try channel.pipeline.syncOperations.handler(type: PlainHandler.self)
            let connection = PlainConnection(channel: channel, handler: handler)
            handler.callWhenReady { result in
                switch result {
                case .success: self.finish(.success(connection))
                case .failure(let end): self.finish(.failure(ConnectionEnd(dialling: self.endpoint, end)))
                }
            }
        } catch {
            finish(.failure(ConnectionEnd(dialling: endpoint, error)))
        }
    }

    /// The first outcome counts.
    private func finish(_ result: Result<PlainConnection, any Error>) {
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
        try await Dialling(endpoint, options: options).run()
    }
}
