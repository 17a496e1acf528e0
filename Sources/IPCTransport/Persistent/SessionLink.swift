// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOCore

/// Who uses a ``SessionLink``. Called on its event loop.
protocol SessionLinkOwner: AnyObject {
    /// Bytes have come.
    func linkRead(_ link: SessionLink, _ bytes: ByteBuffer)
    /// What came at once has been handed over. Nothing may be written during this call.
    func linkReadComplete(_ link: SessionLink)
    /// There is room to write.
    func linkWritable(_ link: SessionLink)
    /// The connection is gone, or nothing more comes from it; it has to be closed. Called once.
    func linkEnded(_ link: SessionLink, _ end: ConnectionEnd)
}

/// One connection of a session, seen from its channel: bytes in, bytes out, an end. All else is its owner's.
final class SessionLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let tls: TLSHandler?
    private var context: ChannelHandlerContext?
    private var owner: (any SessionLinkOwner)?
    private var whenReady: ((Result<Void, ConnectionEnd>) -> Void)?
    private var isReady = false
    private var isReading = false
    private var isFinishing = false
    private var linger: Scheduled<Void>?
    private var end: ConnectionEnd?

    /// What the TLS handshake has found out.
    private(set) var security: ConnectionFacts.Security?

    init(tls: TLSHandler?) {
        self.tls = tls
    }

    /// The peer's address.
    var remoteAddress: SocketAddress? { context?.channel.remoteAddress }
    /// The channel, until it is closed.
    var channel: (any NIOCore.Channel)? { context?.channel }
    /// Whether there is room to write.
    var isWritable: Bool { context.map { $0.channel.isWritable && $0.channel.isActive && !isFinishing } ?? false }
    /// Bytes that the system has not taken.
    var bufferedByteCount: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Tells, once, that the connection can be used, or why it cannot.
    func callWhenReady(_ body: @escaping (Result<Void, ConnectionEnd>) -> Void) {
        if isReady {
            body(.success(()))
        } else if let end {
            body(.failure(end))
        } else {
            whenReady = body
        }
    }

    /// Starts reading, for this owner.
    func start(_ owner: any SessionLinkOwner) {
        self.owner = owner
        if let end { return owner.linkEnded(self, end) }
        setReading(true)
    }

    /// Turns reading on or off.
    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, let context else { return }
        self.isReading = isReading
        // Fails only when the channel is closed, and then nothing is read anyway.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    /// Writes, without flushing.
    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    /// Hands everything to the system. The connection may be lost by it.
    func flush() {
        context?.flush()
    }

    /// Ends the connection when everything has left, and the peer has read it or had time to. The owner hears nothing more.
    ///
    /// - Parameters:
    ///   - timeout: How long the peer has.
    ///   - done: Called when everything has left, or cannot.
    func finish(within timeout: TimeAmount, done: @escaping () -> Void) {
        owner = nil
        guard let context, context.channel.isActive, !isFinishing, end == nil else {
            close()
            return done()
        }
        isFinishing = true
        setReading(true)
        linger = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.close() }
        // Before the empty write: when that is done, nothing may be left that closing would drop.
        if tls != nil { context.triggerUserOutboundEvent(TLSHandler.FinishSending(), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            done()
            if self.end == nil { self.context?.close(mode: .output, promise: nil) } else { self.close() }
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    /// Makes the system forget what the peer has not got, when this is closed, instead of sending it again and again.
    func resetWhenClosed() {
        if let channel { SystemCalls.resetWhenClosed(channel) }
    }

    /// Closes the connection at once. The owner hears nothing more.
    func close() {
        owner = nil
        linger?.cancel()
        linger = nil
        context?.close(promise: nil)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ended(ConnectionEnd(.lost, "the connection was lost: the peer is gone"))
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        isReady = true
        let whenReady = self.whenReady
        self.whenReady = nil
        whenReady?(.success(()))
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended(ConnectionEnd(.lost, "the connection was lost: the peer is gone"))
        linger?.cancel()
        linger = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        owner?.linkRead(self, unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        owner?.linkReadComplete(self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { owner?.linkWritable(self) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: ended(ConnectionEnd(.lost, "the peer closed the connection"))
        case let security as ConnectionFacts.Security: self.security = security
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended(ConnectionEnd(transport: error))
    }

    private func ended(_ end: ConnectionEnd) {
        guard self.end == nil else { return }
        self.end = end
        let (owner, whenReady) = (owner, whenReady)
        self.owner = nil
        self.whenReady = nil
        whenReady?(.failure(end))
        if let owner {
            owner.linkEnded(self, end)
        } else if isFinishing || !isReady {
            close()
        }
    }
}

@available(*, unavailable)
extension SessionLink: Sendable {}
