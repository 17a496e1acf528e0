// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

/// The event loop's side of a ``PlainConnection``: cuts what comes into frames, delivers them, and hands over what waits
/// in the ``Outbox``.
///
/// It calls its receiver from the event loop only, and never from within a call of the connection's methods: those
/// leave a task for the loop.
final class PlainHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How far the connection has come.
    enum Phase {
        /// Frames go both ways.
        case open
        /// It is decided that it ends; what was sent before still leaves.
        case finishing
        /// Everything has left; the peer gets time to read it.
        case lingering
        /// Nothing happens any more.
        case over
    }

    /// How much one connection hands over before others have their turn.
    private static let bytesPerTurn = 1_024 * 1_024

    let outbox: Outbox
    let facts = ConnectionFacts()
    let options: TransportOptions
    /// Whether the channel is connected, and the TLS handshake complete.
    private var isReady = false
    /// Told once: that the connection can be used, or why it cannot.
    var whenReady: ((Result<Void, ConnectionEnd>) -> Void)?

    var context: ChannelHandlerContext?
    var phase = Phase.open
    var receiver: (any MessageReceiver)?
    /// Why nothing more comes in. The receiver hears it behind the frames that came before.
    var inputEnd: ConnectionEnd?
    /// Why the connection ends.
    var end: ConnectionEnd?
    /// A gateway's last word.
    var lastWord: ConnectionEnd?
    var hasStarted = false
    var decoder: FrameDecoder
    var watch = StallWatch()
    var timer: Scheduled<Void>?
    /// What encrypts; nil without TLS.
    let tls: TLSHandler?
    /// Bytes that were handed to the channel.
    private(set) var handedByteCount = 0
    /// Whether it is asked when everything has left.
    var isFinishingSending = false

    /// Whether the loop is in the middle of something after which it looks at the outbox in any case.
    private(set) var isBusy = false
    private var isPumping = false
    private(set) var isReading = false

    init(options: TransportOptions, tls: TLSHandler? = nil) {
        self.options = options
        self.tls = tls
        outbox = Outbox(options: options)
        var limits = IPCLimits()
        limits.frameBytes = options.maximumMessageBytes
        decoder = FrameDecoder(limits: limits, dialect: .any)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        terminated()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        becomeReady()
    }

    func channelInactive(context: ChannelHandlerContext) {
        terminated()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .open, inputEnd == nil else { return }
        isBusy = true
        let bytes = unwrapInboundIn(data)
        decoder.append(bytes.readableBytesUInt8Span)
        deliver()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard phase != .open || !outbox.isEmpty else {
            isBusy = false
            return
        }
        // Not now: where the peer has closed, NIO goes on with the channel after this call, and does not expect that a
        // write has failed meanwhile and closed it (an assertion of debug builds).
        context.eventLoop.assumeIsolated().execute {
            self.isBusy = false
            self.pump()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: inputClosed(.closed)
        case let security as ConnectionFacts.Security: facts.security = security
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inputClosed(ConnectionEnd(transport: error))
    }

    /// Tells, once, that the connection can be used, or why it cannot.
    func callWhenReady(_ body: @escaping (Result<Void, ConnectionEnd>) -> Void) {
        if isReady {
            // Even if it has ended since: the receiver hears why, and the peer's last word with it.
            body(.success(()))
        } else if let inputEnd {
            body(.failure(inputEnd))
        } else {
            whenReady = body
        }
    }

    private func becomeReady() {
        isReady = true
        let whenReady = self.whenReady
        self.whenReady = nil
        whenReady?(.success(()))
    }

    // MARK: Receiving

    /// Delivery begins.
    func start(delivering receiver: any MessageReceiver) {
        guard !hasStarted else { return }
        hasStarted = true
        self.receiver = receiver
        guard phase == .open else { return tell() }
        updateDelivery()
    }

    /// Whether to deliver has changed.
    func updateDelivery() {
        guard phase == .open, hasStarted else { return }
        isBusy = true
        deliver()
        isBusy = false
        pump()
        if phase == .open { setReading(facts.isDelivering) }
    }

    /// Delivers what has come, as long as that is wanted, and then the end if that has come too.
    func deliver() {
        guard hasStarted, phase == .open, let receiver else { return }
        do {
            while facts.isDelivering {
                guard let frame = try decoder.next() else { return inputDelivered() }
                switch frame.type {
                case .regular: receiver.receive(frame.body)
                case .control: lastWord = ConnectionEnd(controlFrame: frame.body) ?? lastWord
                default: break
                }
            }
        } catch {
            finish(ConnectionEnd(.malformed, "the peer sent a frame that is not allowed: \(error)"))
        }
    }

    /// Turns reading from the socket on or off.
    func setReading(_ isReading: Bool) {
        guard isReading != self.isReading, let context else { return }
        self.isReading = isReading
        // Fails only when the channel is closed, and then nothing is read anyway.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    // MARK: Sending

    /// Hands over what waits, as much as the channel takes.
    func pump() {
        guard !isPumping, let context, phase == .open || phase == .finishing, context.channel.isActive else { return }
        isPumping = true
        var budget = Self.bytesPerTurn
        var isMore = true
        while isMore, context.channel.isWritable {
            var hasWritten = false
            while isMore, context.channel.isWritable {
                guard let taken = outbox.take() else {
                    isMore = false
                    break
                }
                isMore = !taken.wasLast
                budget -= taken.piece.readableBytes
                handedByteCount += taken.piece.readableBytes
                hasWritten = true
                context.write(wrapOutboundOut(taken.piece), promise: nil)
            }
            guard hasWritten else { break }
            // This may make the channel writable again, which the loop looks at, or close it.
            context.flush()
            if budget <= 0 { break }
        }
        isPumping = false
        guard self.context != nil else { return }
        if isMore, budget <= 0, context.channel.isWritable {
            context.eventLoop.assumeIsolated().execute { self.pump() }
        }
        if budget < Self.bytesPerTurn { watchForStall() }
        if phase == .finishing, !isMore { finishSending() }
    }
}

@available(*, unavailable)
extension PlainHandler: Sendable {}
