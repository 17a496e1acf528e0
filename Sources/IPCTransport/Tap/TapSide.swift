// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix

/// One side of a connection that passes a ``UnixTap``. Both sides live on one event loop.
final class TapSide: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A server whose queue is full does not tell when it no longer is.
    private static let retryPause = TimeAmount.milliseconds(20)
    private static let connectTimeout = TimeAmount.seconds(10)

    /// The server's socket, for the client's side to connect to.
    private let server: String?
    private var isClient: Bool { server != nil }
    private let observe: (UnixTap.Happening) -> Void
    private var context: ChannelHandlerContext?
    private var partner: TapSide?
    /// Whether nothing more comes from this side.
    private var hasEnded = false
    /// Whether reading waits until the partner can take more.
    private var isWaiting = false
    private var isOver = false
    /// Whether this side has failed, or is being closed: then its end is none of its own.
    private var isLost = false
    /// What came before the server was there: SwiftNIO reads the last bytes without being asked.
    private var early = ByteBuffer()

    private init(server: String?, observe: @escaping (UnixTap.Happening) -> Void) {
        self.server = server
        self.observe = observe
    }

    /// Puts a side into its channel, on the event loop.
    ///
    /// - Parameter server: For the client's side, the socket of the server, to be connected to.
    static func install(
        in channel: any NIOCore.Channel,
        server: String?,
        observe: @escaping (UnixTap.Happening) -> Void
    ) throws {
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        try channel.pipeline.syncOperations.addHandler(TapSide(server: server, observe: observe))
    }

    // MARK: The server's side

    func channelActive(context: ChannelHandlerContext) {
        if let server { connect(to: server, retriesUntil: .now() + Self.connectTimeout) }
    }

    /// Connects to the server for this client, and begins to pass what comes.
    private func connect(to server: String, retriesUntil deadline: NIODeadline) {
        guard let loop = context?.eventLoop else { return }
        let observe = NIOLoopBound(self.observe, eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try TapSide.install(in: channel, server: nil, observe: observe.value)
            }
        }
        bootstrap.connect(unixDomainSocketPath: server).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                self.connected(channel)
            case .failure(let error as IOError)
            where error.errnoCode == SystemCalls.tryAgain && NIODeadline.now() < deadline:
                loop.assumeIsolated().scheduleTask(in: Self.retryPause) {
                    self.connect(to: server, retriesUntil: deadline)
                }
            case .failure(let error):
                let text = (error as? IOError).map { SystemCalls.text(of: $0.errnoCode) } ?? "\(error)"
                self.observe(.failed("cannot connect to unix:\(server): \(text)"))
                self.observe(.closed)
                self.context?.close(promise: nil)
            }
        }
    }

    private func connected(_ channel: any NIOCore.Channel) {
        guard let context, context.channel.isActive,
            let other = try? channel.pipeline.syncOperations.handler(type: TapSide.self)
        else { return channel.close(promise: nil) }
        partner = other
        other.partner = self
        observe(.opened)
        if early.readableBytes > 0 { pass(early) }
        early = ByteBuffer()
        if hasEnded {
            passEnd()
        } else {
            context.read()
        }
        other.context?.read()
    }

    // MARK: What comes

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if partner == nil {
            early.writeBuffer(&bytes)
        } else {
            pass(bytes)
        }
    }

    private func pass(_ bytes: ByteBuffer) {
        partner?.context?.writeAndFlush(NIOAny(bytes), promise: nil)
        observe(.bytes(Array(bytes.readableBytesView), fromClient: isClient))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard !hasEnded, partner != nil else { return }
        if partner?.context?.channel.isWritable == true {
            context.read()
        } else {
            isWaiting = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, let partner, partner.isWaiting else { return }
        partner.isWaiting = false
        partner.context?.read()
    }

    // MARK: Ends

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event, !hasEnded else { return }
        hasEnded = true
        if partner != nil { passEnd() }
    }

    private func passEnd() {
        observe(.ended(fromClient: isClient))
        partner?.finishSending()
    }

    /// The other side sends nothing more: says so behind everything that it has sent.
    private func finishSending() {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            guard let context = self.context else { return }
            // With both directions at their end nothing is left to do.
            context.close(mode: self.hasEnded ? .all : .output, promise: nil)
        }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = (error as? IOError).map { SystemCalls.text(of: $0.errnoCode) } ?? "\(error)"
        isLost = true
        if !isOver { observe(.failed("the \(isClient ? "client" : "server") is lost: \(text)")) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        guard let partner else { return }
        if !hasEnded, !isLost { observe(.ended(fromClient: isClient)) }
        hasEnded = true
        self.partner = nil
        if partner.isOver {
            observe(.closed)
        } else {
            // What came from here still leaves there.
            partner.finishAll()
        }
    }

    /// The other side is gone.
    private func finishAll() {
        guard let context, !isOver else { return }
        isLost = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension TapSide: Sendable {}
