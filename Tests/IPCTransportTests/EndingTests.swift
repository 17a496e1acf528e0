// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import Testing

@Suite("The end of a connection")
struct EndingTests {
    @Test("comes behind everything that was sent before", arguments: Road.allCases)
    func flushesFirst(road: Road) async throws {
        let pair = try await ConnectedPair(road)
        let message = [UInt8](repeating: 5, count: 300_000)
        for _ in 0..<20 { pair.client.send(message) }
        pair.client.close(ConnectionEnd(.disposed, "done"))
        pair.client.close(ConnectionEnd(.disposed, "the second does not count"))
        pair.client.send([1])
        try await eventually("both are told") { pair.clientReceiver.end != nil && pair.serverReceiver.end != nil }
        #expect(pair.serverReceiver.messages.map(\.count) == [Int](repeating: message.count, count: 20))
        #expect(pair.serverReceiver.end == .closed)
        #expect(pair.clientReceiver.end == ConnectionEnd(.disposed, "done"))
        try await eventually("the channels are closed") {
            !pair.client.channel.isActive && !pair.server.channel.isActive
        }
        #expect(pair.serverReceiver.isInOrder && pair.clientReceiver.isInOrder)
        await pair.harbour.listener.close()
    }

    @Test("by a peer that only stops sending comes behind its messages, and their answers still leave")
    func halfClose() async throws {
        let harbour = try await Harbour()
        let peer = try RawPeer(unix: harbour.path)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver { [weak server] message in server?.send(message + message) }
        server.start(delivering: receiver)
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
        peer.finishSending()
        #expect(try await peer.receiveAll() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9])
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.messages == [[9]])
        #expect(receiver.end == .closed)
    }

    @Test("inside a frame is a loss", arguments: [1, 12, 13, 15])
    func insideFrame(count: Int) async throws {
        let harbour = try await Harbour()
        let peer = try RawPeer(unix: harbour.path)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        let frame: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 7, 8, 9]
        try peer.send(frame + frame.prefix(count))
        peer.finishSending()
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.messages == [[7, 8, 9]])
        #expect(receiver.end?.code == .lost)
        #expect(receiver.end?.reason.contains("inside a frame, of which \(count) bytes") == true)
    }

    @Test("by a reset is a loss with a reason that people can read")
    func reset() async throws {
        let harbour = try await Harbour(.tcp)
        let receiver = RecordingReceiver()
        do {
            let peer = try RawPeer(port: harbour.port)
            let server = try await harbour.accept()
            server.start(delivering: receiver)
            try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
            try await eventually("the message is there") { receiver.count == 1 }
            peer.resetOnClose()
        }
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.end == ConnectionEnd(.lost, "the connection was lost: Connection reset by peer"))
    }

    @Test("can be explained by a gateway's last word")
    func lastWord() async throws {
        let harbour = try await Harbour()
        let client = try await PlainConnection.connect(to: .unix(harbour.path))
        let receiver = RecordingReceiver()
        client.start(delivering: receiver)
        let server = try await harbour.accept()
        server.refuse(code: "draining", reason: "come back later")
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.end == ConnectionEnd(.refused, "come back later (draining)"))
        #expect(receiver.messages.isEmpty)
    }

    @Test("does not wait for ever for a peer that does not close")
    func linger() async throws {
        var options = TransportOptions()
        options.lingerTimeout = .milliseconds(50)
        let harbour = try await Harbour(options: options)
        let peer = try RawPeer(unix: harbour.path)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        server.close(.disposed)
        try await eventually("the receiver is told") { receiver.end == .disposed }
        try await eventually("the channel is closed") { !server.channel.isActive }
        #expect(try await peer.receiveAll() == [])
    }

    @Test("can be decided from within a delivery, and then nothing more is delivered")
    func closeInside() async throws {
        let pair = try await ConnectedPair { server, message in
            if message == [3] { server.close(.disposed) }
        }
        for number in UInt8(0)..<10 { pair.client.send([number]) }
        try await eventually("both are told") { pair.clientReceiver.end != nil && pair.serverReceiver.end != nil }
        #expect(pair.serverReceiver.messages == [[0], [1], [2], [3]])
        #expect(pair.serverReceiver.end == .disposed)
        #expect(pair.clientReceiver.end == .closed)
        #expect(pair.serverReceiver.isInOrder)
        await pair.harbour.listener.close()
    }

    @Test("of one connection does not touch another")
    func independence() async throws {
        let harbour = try await Harbour()
        let first = try await PlainConnection.connect(to: .unix(harbour.path))
        let second = try await PlainConnection.connect(to: .unix(harbour.path))
        let receivers = [RecordingReceiver(), RecordingReceiver()]
        let servers = [try await harbour.accept(), try await harbour.accept()]
        for (server, receiver) in zip(servers, receivers) { server.start(delivering: receiver) }
        first.start(delivering: RecordingReceiver())
        second.start(delivering: RecordingReceiver())
        first.close(.disposed)
        try await eventually("one has ended") { receivers.contains { $0.end != nil } }
        second.send([1])
        try await eventually("the other lives") { receivers.contains { $0.count == 1 && $0.end == nil } }
        second.close(.disposed)
    }

    @Test("lets go of everything", arguments: Road.allCases)
    func released(road: Road) async throws {
        weak var client: PlainConnection?
        weak var server: PlainConnection?
        weak var clientReceiver: RecordingReceiver?
        weak var serverReceiver: RecordingReceiver?
        weak var clientChannel: (any NIOCore.Channel)?
        weak var serverChannel: (any NIOCore.Channel)?
        let harbour: Harbour
        do {
            let pair = try await ConnectedPair(road) { server, message in server.send(message) }
            harbour = pair.harbour
            client = pair.client
            server = pair.server
            clientReceiver = pair.clientReceiver
            serverReceiver = pair.serverReceiver
            clientChannel = pair.client.channel
            serverChannel = pair.server.channel
            pair.client.send([1])
            try await eventually("the answer is there") { pair.clientReceiver.count == 1 }
            pair.client.close(.disposed)
            try await eventually("both are told") { pair.clientReceiver.end != nil && pair.serverReceiver.end != nil }
        }
        try await eventually("all are gone") {
            client == nil && server == nil && clientReceiver == nil && serverReceiver == nil && clientChannel == nil
                && serverChannel == nil
        }
        await harbour.listener.close()
    }

    @Test("comes to a connection that nobody has started when it is let go")
    func neverStarted() async throws {
        let harbour = try await Harbour()
        let receiver = RecordingReceiver()
        do {
            let client = try await PlainConnection.connect(to: .unix(harbour.path))
            _ = client.isCongested
        }
        let server = try await harbour.accept()
        server.start(delivering: receiver)
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.end == .closed)
    }
}
