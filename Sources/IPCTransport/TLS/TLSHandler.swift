// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOCore
internal import TLSEngine

/// TLS on a channel: what passes it towards the network is encrypted, what comes is decrypted.
///
/// The handlers behind it see an ordinary channel: it becomes active when the handshake is complete, just after the
/// user event ``ConnectionFacts/Security``; the peer's close_notify is the closing of its input; and closing its output
/// sends close_notify first. What is wrong, an end without close_notify included, comes as an error, and then the alert
/// has been sent that tells the peer; who hears it closes.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The outbound event after which nothing more is written: sends close_notify, without flushing it.
    struct FinishSending {}

    private enum State {
        case idle
        case handshaking
        case established
        /// Nothing more comes in: the peer said so, or something went wrong.
        case inputEnded
    }

    private let tls: TLSContext
    private let serverName: String?
    private let timeout: TimeAmount
    private let scratch = TLSScratch.current
    private var session: TLSSession?
    private var state = State.idle
    private var deadline: Scheduled<Void>?
    /// Whether something was written since the last flush.
    private var hasUnflushed = false
    /// Ciphertext bytes that were handed to the channel.
    private(set) var handedByteCount = 0

    /// Must be made on the channel's event loop.
    ///
    /// - Parameter serverName: For a client, whom the server's certificate must be for.
    init(context: TLSContext, serverName: String?, timeout: TimeAmount) {
        tls = context
        self.serverName = serverName
        self.timeout = timeout
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        inputClosed(context)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            inputClosed(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The stream of ciphertext is over.
    private func inputClosed(_ context: ChannelHandlerContext) {
        switch state {
        case .idle, .handshaking:
            failed(context, ConnectionEnd(.lost, "the peer closed the connection during the TLS handshake"))
        case .established:
            failed(context, ConnectionEnd(.lost, "the connection ended without close_notify: it may be incomplete"))
        case .inputEnded:
            break
        }
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session, state != .inputEnded else { return }
        unwrapInboundIn(data).withUnsafeReadableBytes { ciphertext in
            session.withInput(ciphertext) {
                if state == .handshaking { handshake(session, context) }
                if state == .established { decrypt(session, context) }
            }
        }
        sendOutput(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Not now, as in `PlainHandler`: a write that fails would close the channel under NIO's hands.
        if hasUnflushed {
            context.eventLoop.assumeIsolated().execute {
                if self.hasUnflushed { self.flush(context: context) }
            }
        }
        // Nobody else reads yet.
        if state == .handshaking { context.read() }
        context.fireChannelReadComplete()
    }

    private func decrypt(_ session: TLSSession, _ context: ChannelHandlerContext) {
        // Taken out while it is used, so that it has one owner and is not copied.
        var plaintext = ByteBuffer()
        swap(&plaintext, &scratch.plaintext)
        defer { swap(&plaintext, &scratch.plaintext) }
        do {
            while state == .established {
                plaintext.clear()
                var outcome = TLSSession.ReadOutcome.needsInput
                try plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { room in
                    outcome = try session.read(into: room)
                    guard case .bytes(let count) = outcome else { return 0 }
                    return count
                }
                switch outcome {
                case .bytes: context.fireChannelRead(wrapInboundOut(plaintext))
                case .needsInput: return
                case .closed:
                    state = .inputEnded
                    context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                }
            }
        } catch {
            failed(context, error)
        }
    }

    private func failed(_ context: ChannelHandlerContext, _ error: any Error) {
        state = .inputEnded
        deadline?.cancel()
        sendOutput(context)
        flush(context: context)
        context.fireErrorCaught(error)
    }

    // MARK: Handshake

    private func begin(_ context: ChannelHandlerContext) {
        guard state == .idle else { return }
        state = .handshaking
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.expired(context) }
        do {
            let session = try TLSSession(context: tls, output: scratch.output, serverName: serverName)
            self.session = session
            handshake(session, context)
            if hasUnflushed { flush(context: context) }
            if state == .handshaking { context.read() }
        } catch {
            failed(context, error)
        }
    }

    private func handshake(_ session: TLSSession, _ context: ChannelHandlerContext) {
        do {
            guard try session.handshake() == .complete else { return sendOutput(context) }
            sendOutput(context)
            let certificate = try session.peerCertificate()
            deadline?.cancel()
            deadline = nil
            state = .established
            let facts = ConnectionFacts.Security(certificate: certificate, negotiated: session.negotiated)
            context.fireUserInboundEventTriggered(facts)
            context.fireChannelActive()
        } catch {
            failed(context, error)
        }
    }

    private func expired(_ context: ChannelHandlerContext) {
        guard state == .handshaking else { return }
        let seconds = Double(timeout.nanoseconds / 1_000_000) / 1_000
        failed(context, ConnectionEnd(.lost, "no TLS handshake within \(seconds) s"))
    }

    // MARK: Sending

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let plaintext = unwrapOutboundIn(data)
        guard let session, plaintext.readableBytes > 0 else {
            return context.write(wrapOutboundOut(ByteBuffer()), promise: promise)
        }
        do {
            try plaintext.withUnsafeReadableBytes { try session.write($0) }
            sendOutput(context, promise)
        } catch {
            // The session has failed, and whoever has to know was told when it did.
            promise?.fail(error)
        }
    }

    func flush(context: ChannelHandlerContext) {
        hasUnflushed = false
        context.flush()
    }

    /// Hands over the ciphertext that the session has made.
    private func sendOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
        let output = scratch.output
        guard !output.isEmpty else {
            promise?.succeed()
            return
        }
        let ciphertext = output.withUnsafeBytes { context.channel.allocator.buffer(bytes: $0) }
        output.consume(output.count)
        handedByteCount += ciphertext.readableBytes
        hasUnflushed = true
        context.write(wrapOutboundOut(ciphertext), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is FinishSending else { return context.triggerUserOutboundEvent(event, promise: promise) }
        session?.sendCloseNotify()
        sendOutput(context, promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input, let session {
            session.sendCloseNotify()
            sendOutput(context)
            flush(context: context)
        }
        context.close(mode: mode, promise: promise)
    }
}

@available(*, unavailable)
extension TLSHandler: Sendable {}
