// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import NIOCore
import NIOEmbedded

@testable import IPCTransport

/// A hosted session on an event loop that a test turns by hand: what comes in which turn is the test's to say.
///
/// The session's own clock is the system's; the loop's stands still until it is told.
final class EngineBench {
    let loop = EmbeddedEventLoop()
    let host: SessionHost
    private(set) var channels: [EmbeddedChannel] = []
    let receiver = RecordingReceiver()
    private let inbox: Inbox

    private final class Inbox: @unchecked Sendable {
        var connections: [PersistentConnection] = []
    }

    /// - Parameter options: Bounds and deadlines.
    init(_ options: TransportOptions = TransportOptions(), hosting: SessionHosting = SessionHosting()) {
        let inbox = Inbox()
        self.inbox = inbox
        host = SessionHost(hosting, eventLoop: loop, transport: options, admission: nil) {
            inbox.connections.append($0)
        }
    }

    /// The sessions that were opened.
    var connections: [PersistentConnection] { inbox.connections }

    /// Somebody connects.
    func connect() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        let link = SessionLink(tls: nil)
        try channel.pipeline.syncOperations.addHandler(link)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        host.greet(link)
        channels.append(channel)
        return channel
    }

    /// These frames come in one read.
    func say(_ frames: Frame..., on channel: EmbeddedChannel) throws {
        var bytes: [UInt8] = []
        for frame in frames { frame.append(to: &bytes) }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
    }

    /// The peer says that nothing more comes.
    func endInput(_ channel: EmbeddedChannel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// All frames that have left.
    func heard(_ channel: EmbeddedChannel) throws -> [Frame] {
        var decoder = FrameDecoder(dialect: .any)
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            decoder.append(bytes.readableBytesUInt8Span)
        }
        var frames: [Frame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        return frames
    }

    /// What was said about the session.
    func controls(_ channel: EmbeddedChannel) throws -> [SessionControl] {
        try heard(channel).filter { $0.type == .control }.map { try SessionControl($0.body) }
    }

    /// Opens a session and returns its connection and token.
    func open() throws -> (channel: EmbeddedChannel, connection: PersistentConnection, token: String) {
        let channel = try connect()
        try say(Self.connect(nil), on: channel)
        loop.run()
        guard case .ok(let token, _)? = try controls(channel).first, let connection = connections.last else {
            throw ConnectionEnd(.refused, "no session")
        }
        return (channel, connection, token)
    }

    static func connect(_ token: String?) -> Frame {
        Frame(type: .control, body: SessionControl.connect(token: token).encoded())
    }

    static func message(_ id: UInt32, bytes: Int = 4) -> Frame {
        Frame(type: .regular, id: id, body: [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: bytes))
    }
}
