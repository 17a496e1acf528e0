// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import IPCTransport

@Suite("Sessions whose ends meet something else in the same moment")
struct EngineTests {
    private static var options: TransportOptions {
        var options = TransportOptions()
        options.highWaterMark = 100
        options.lingerTimeout = .seconds(5)
        return options
    }

    @Test("deliver what has come before the peer's end, however slow the reader is")
    func endBehindAHeldReader() throws {
        let bench = EngineBench(Self.options)
        let (channel, connection, _) = try bench.open()
        connection.start(delivering: bench.receiver)
        connection.setDelivering(false)
        bench.loop.run()
        for id in UInt32(1)...10 { try bench.say(EngineBench.message(id, bytes: 60), on: channel) }
        try bench.say(Frame(type: .disconnect), on: channel)
        bench.endInput(channel)
        bench.loop.run()
        #expect(bench.receiver.count == 0)
        connection.setDelivering(true)
        bench.loop.run()
        #expect(bench.receiver.count == 10)
        #expect(bench.receiver.end == .closed)
    }

    @Test("tell the end to a reader that was held back and closes")
    func closedBehindTheEnd() throws {
        let bench = EngineBench(Self.options)
        let (channel, connection, _) = try bench.open()
        connection.start(delivering: bench.receiver)
        connection.setDelivering(false)
        bench.loop.run()
        try bench.say(EngineBench.message(1), Frame(type: .disconnect), on: channel)
        bench.loop.run()
        #expect(bench.receiver.end == nil)
        connection.close(.disposed)
        bench.loop.run()
        #expect(bench.receiver.end == .closed)
        #expect(bench.receiver.count == 0)
    }

    @Test("are not opened by a client that was refused a moment before")
    func secondConnect() throws {
        let bench = EngineBench(Self.options)
        let channel = try bench.connect()
        try bench.say(EngineBench.connect("nobody's"), on: channel)
        try bench.say(EngineBench.connect(nil), on: channel)
        bench.loop.run()
        #expect(bench.connections.isEmpty)
        let reason = "there is no such session here"
        #expect(try bench.controls(channel) == [.error(.unknownSession, reason: reason)])
    }

    @Test("count a message that is on its way into the window as one that is not acknowledged")
    func onTheWay() {
        let shared = SessionShared(options: Self.options)
        _ = shared.append([1, 2, 3])
        #expect(shared.take() == [1, 2, 3])
        #expect(shared.statistics.unacknowledgedMessages == 1)
        #expect(shared.statistics.unacknowledgedBytes == FrameHeader.byteCount + 3)
    }

    @Test("cannot be resumed when they are ending, and leave no connection behind")
    func resumedWhileEnding() throws {
        let bench = EngineBench(Self.options)
        let (channel, connection, token) = try bench.open()
        connection.start(delivering: bench.receiver)
        try bench.say(EngineBench.message(1), Frame(type: .pause), on: channel)
        bench.loop.run()
        // The peer's pause keeps it from leaving.
        connection.send([1])
        connection.close(.disposed)
        bench.loop.run()
        let second = try bench.connect()
        try bench.say(EngineBench.connect(token), on: second)
        bench.loop.run()
        #expect(try bench.controls(second) == [.error(.unknownSession, reason: "the session has ended")])
        bench.loop.advanceTime(by: .seconds(5))
        #expect(bench.receiver.end == .disposed)
        #expect(!channel.isActive)
        #expect(!second.isActive)
    }

    @Test("are over when their time to leave is, also when the connection was taken away from them")
    func connectionTakenAway() throws {
        let link = SessionLink(tls: nil)
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandler(link)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        let engine = SessionEngine(settings: SessionSettings(), eventLoop: loop, options: Self.options)
        engine.session.open(at: SessionEngine.now)
        engine.attach(link)
        try channel.writeInbound(ByteBuffer(bytes: Frame(type: .pause).encoded()))
        engine.finish(.disposed, isOurs: true)
        loop.run()
        #expect(engine.phase == .finishing)
        engine.detach()
        loop.advanceTime(by: .seconds(5))
        #expect(engine.phase == .over)
    }

    @Test("read on when they are closed, for the acknowledgements that make room for what is left")
    func acknowledgementsWhileEnding() throws {
        var hosting = SessionHosting()
        hosting.session.window = SessionWindow(messages: 4, bytes: 1 << 20)
        var options = Self.options
        options.highWaterMark = 100
        let bench = EngineBench(options, hosting: hosting)
        let (channel, connection, _) = try bench.open()
        connection.start(delivering: bench.receiver)
        connection.setDelivering(false)
        bench.loop.run()
        for id in UInt32(1)...10 { try bench.say(EngineBench.message(id, bytes: 60), on: channel) }
        for number in 0..<8 { connection.send([UInt8(number)]) }
        connection.close(.disposed)
        bench.loop.run()
        #expect(try channel.syncOptions?.getOption(.autoRead) == true)
        try bench.say(Frame(type: .ack, ack: 4), on: channel)
        bench.loop.run()
        let frames = try bench.heard(channel)
        #expect(frames.count { $0.type == .regular } == 8)
        #expect(frames.last?.type == .disconnect)
    }
}
