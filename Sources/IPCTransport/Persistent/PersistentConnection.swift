// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
internal import IPCProtocol
public import NIOCore
internal import Synchronization
public import TLSEngine

/// A session of VS Code's persistent protocol, which outlives its connections: when one is lost another takes its place, and
/// nothing is lost, repeated or reordered. Whoever talks over it notices a pause at most.
///
/// A client's session dials by itself; a server's waits for its client to come back, for a while. Every method may be called
/// from any thread. Messages are delivered on the session's event loop, where nothing may block.
///
/// It lives until it is closed by one side or fails, also when nobody refers to it any more; only one that was never started
/// is closed when it is let go.
public final class PersistentConnection: MessagePassingProtocol {
    /// The protocol's name in TLS's negotiation of application protocols (ALPN).
    public static let applicationProtocol = PersistentSession.applicationProtocol

    private let eventLoop: any EventLoop
    private let shared: SessionShared
    private let engine: NIOLoopBound<SessionEngine>
    /// Whether it was started or closed, so that it ends by itself.
    private let isTakenCareOf = Atomic(false)

    /// Must be called on the engine's event loop.
    init(_ engine: SessionEngine) {
        eventLoop = engine.eventLoop
        shared = engine.shared
        self.engine = NIOLoopBound(engine, eventLoop: engine.eventLoop)
    }

    deinit {
        guard !isTakenCareOf.load(ordering: .relaxed) else { return }
        eventLoop.execute { [engine] in engine.value.finish(.disposed, isOurs: true) }
    }

    /// Opens a session, at the first address that lets it in.
    ///
    /// - Parameters:
    ///   - endpoints: Where, in the order in which they are tried. TLS endpoints without application protocols of their own
    ///     ask for ``applicationProtocol``.
    ///   - options: When to dial again, and what the session keeps to.
    ///   - transport: Bounds, deadlines and threads.
    /// - Throws: `ConnectionEnd` when no address lets it in, `TLSConfigurationError` for certificates that cannot be used,
    ///   `CancellationError` when the task is cancelled.
    public static func connect(
        to endpoints: [ClientEndpoint],
        options: ReconnectionOptions = ReconnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> PersistentConnection {
        guard !endpoints.isEmpty else { throw ConnectionEnd(.lost, "there is no address to connect to") }
        for endpoint in endpoints { try SessionLink.check(endpoint) }
        let eventLoop = transport.eventLoopGroup.next()
        let dialler = try await eventLoop.submit {
            let dialler = SessionDialler(endpoints, options: options, transport: transport, eventLoop: eventLoop)
            return NIOLoopBound(dialler, eventLoop: eventLoop)
        }.get()
        try await withTaskCancellationHandler {
            try await eventLoop.flatSubmit { dialler.value.begin() }.get()
        } onCancel: {
            eventLoop.execute { dialler.value.cancel() }
        }
        return try await eventLoop.submit { PersistentConnection(dialler.value.engine) }.get()
    }

    // MARK: About it

    /// What becomes of it, from what it is now on. The last 16 that were not taken are kept. It ends with the session.
    public var states: AsyncStream<State> { shared.watch() }

    /// How it is doing.
    public var state: State { shared.state }

    /// Numbers about it.
    public var statistics: Statistics { shared.statistics }

    /// Whose the peer's certificate is, on the last connection. Nil without TLS, and for a client that has shown none.
    public var peerCertificate: CertificateIdentity? { shared.peer.security?.certificate }

    /// What the last TLS handshake has agreed upon; nil without TLS.
    public var negotiatedTLS: NegotiatedTLS? { shared.peer.security?.negotiated }

    /// The peer's address on the last connection.
    public var remoteAddress: SocketAddress? { shared.peer.address }

    /// Which of the addresses the last connection was made to; nil for a server's session.
    public var endpoint: ClientEndpoint? { shared.endpoint }

    /// Waits until it is over, closed by either side or failed, and its last connection is closed, too.
    public func waitUntilEnded() async {
        await shared.waitForEnd()
    }

    /// Asks the client of a server's session to finish what is outstanding and then to open a new session, elsewhere
    /// perhaps.
    ///
    /// - Parameter reason: Why, for a person.
    public func goAway(reason: String) {
        eventLoop.execute { self.engine.value.send(.goAway(reason: reason)) }
    }

    // MARK: MessagePassingProtocol

    /// Starts delivery.
    public func start(delivering receiver: any MessageReceiver) {
        isTakenCareOf.store(true, ordering: .relaxed)
        eventLoop.execute { self.engine.value.start(delivering: receiver) }
    }

    /// Sends a message. It is kept until the peer has acknowledged it.
    ///
    /// What waits beyond ``TransportOptions/maximumPendingBytes`` ends the session.
    public func send(_ message: [UInt8]) {
        switch shared.append(message) {
        case .nothing: break
        case .flushIsNeeded: eventLoop.execute { self.engine.value.flush() }
        case .overflow: eventLoop.execute { self.engine.value.overflowed() }
        }
    }

    /// Whether the window of messages that are not acknowledged is full, as it gets while there is no connection.
    public var isCongested: Bool { shared.isCongested }

    /// Waits until ``isCongested`` is false or the session has ended.
    public func drain() async {
        await shared.drain()
    }

    /// Stops or restarts delivery. Up to ``TransportOptions/highWaterMark`` and what is in one frame is taken meanwhile; then
    /// the peer waits, or is asked later to send again what came.
    public func setDelivering(_ isDelivering: Bool) {
        shared.isDelivering = isDelivering
        eventLoop.execute { self.engine.value.deliver() }
    }

    /// Ends the session: what was sent before leaves, then Disconnect, and the connection is closed. While there is no
    /// connection nothing leaves any more, and the peer keeps its side until the grace time is over.
    public func close(_ end: ConnectionEnd) {
        isTakenCareOf.store(true, ordering: .relaxed)
        shared.stopAccepting()
        shared.isDelivering = false
        eventLoop.execute { self.engine.value.finish(end, isOurs: true) }
    }
}
