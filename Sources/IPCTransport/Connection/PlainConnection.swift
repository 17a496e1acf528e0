// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
internal import IPCProtocol
public import NIOCore
internal import Synchronization
public import TLSEngine

/// A connection that speaks VS Code's plain protocol over a socket: each message is one Regular frame.
///
/// Every method may be called from any thread. Messages are delivered on the connection's event loop, where nothing may
/// block. What is sent is collected and leaves with the loop's next turn, many messages in one write.
///
/// The connection lives until one side closes it, also when nobody refers to it any more; only one that was never
/// started is closed when it is let go.
public final class PlainConnection: MessagePassingProtocol {
    /// The channel that carries the connection. Not for reading or writing: that would break the stream of frames.
    public let channel: any NIOCore.Channel

    private let eventLoop: any EventLoop
    private let outbox: Outbox
    private let facts: ConnectionFacts
    private let handler: NIOLoopBound<PlainHandler>
    /// Whether it was started or closed, so that it ends by itself.
    private let isTakenCareOf = Atomic(false)

    /// Must be called on the channel's event loop.
    init(channel: any NIOCore.Channel, handler: PlainHandler) {
        self.channel = channel
        eventLoop = channel.eventLoop
        outbox = handler.outbox
        facts = handler.facts
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    deinit {
        if !isTakenCareOf.load(ordering: .relaxed) { channel.close(promise: nil) }
    }

    /// Whose the peer's certificate is. Nil without TLS, and for a client that has shown none.
    public var peerCertificate: CertificateIdentity? { facts.security?.certificate }

    /// What the TLS handshake has agreed upon; nil without TLS.
    public var negotiatedTLS: NegotiatedTLS? { facts.security?.negotiated }

    /// The peer's address; nil when the system does not tell, and for many Unix sockets without a path.
    public var remoteAddress: SocketAddress? { channel.remoteAddress }

    // MARK: MessagePassingProtocol

    /// Starts delivery, on the event loop and not before this has returned to it.
    public func start(delivering receiver: any MessageReceiver) {
        isTakenCareOf.store(true, ordering: .relaxed)
        eventLoop.execute { self.handler.value.start(delivering: receiver) }
    }

    /// Sends a message.
    ///
    /// What waits beyond ``TransportOptions/maximumPendingBytes`` ends the connection.
    public func send(_ message: [UInt8]) {
        append(type: .regular, message)
    }

    /// Whether more than ``TransportOptions/highWaterMark`` bytes wait, or did and half of that still does.
    public var isCongested: Bool { outbox.isCongested }

    /// Waits until ``isCongested`` is false or the connection has ended. Who waits longest goes on first. Being
    /// cancelled does not end it, the deadline of a slow peer does.
    public func drain() async {
        await outbox.drain()
    }

    /// Stops or restarts delivery and reading. What was read before waits here: as much as the system gives at once, at
    /// most.
    public func setDelivering(_ isDelivering: Bool) {
        facts.isDelivering = isDelivering
        eventLoop.execute { self.handler.value.updateDelivery() }
    }

    /// Closes the connection: what was sent before leaves, as long as the peer takes it; then TLS's close_notify and an
    /// end of file. The receiver hears of it when that has happened. Messages that come meanwhile are thrown away.
    public func close(_ end: ConnectionEnd) {
        isTakenCareOf.store(true, ordering: .relaxed)
        outbox.stopAccepting()
        facts.isDelivering = false
        eventLoop.execute { self.handler.value.finish(end, isOurs: true) }
    }

    // MARK: More

    /// Refuses the peer: tells it why, in a Control frame as a gateway does, which plain clients ignore, and closes.
    ///
    /// - Parameters:
    ///   - code: What is wrong, as a name for programs in kebab case.
    ///   - reason: What is wrong, for a person.
    public func refuse(code: String, reason: String) {
        append(type: .control, ConnectionEnd.controlFrame(code: code, reason: reason))
        close(ConnectionEnd(.disposed, reason))
    }

    private func append(type: FrameType, _ body: [UInt8]) {
        switch outbox.append(type: type, body) {
        case .nothing: break
        case .flushIsNeeded:
            // In the middle of a delivery the loop looks at the outbox when it is done with what it has read.
            if eventLoop.inEventLoop, handler.value.isBusy { return }
            eventLoop.execute { self.handler.value.pump() }
        case .overflow:
            eventLoop.execute { self.handler.value.overflowed() }
        }
    }
}
