// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import Testing

@Suite("Back-pressure")
struct BackPressureTests {
    /// A server that a peer is connected to which reads nothing.
    private struct Clogged {
        let harbour: Harbour
        let peer: RawPeer
        let server: PlainConnection
        let receiver = RecordingReceiver()

        init(_ options: TransportOptions) async throws {
            harbour = try await Harbour(options: options)
            peer = try RawPeer(unix: harbour.path)
            server = try await harbour.accept()
            server.start(delivering: receiver)
        }
    }

    @Test("is felt when a peer does not read, and goes when it does", arguments: [65_000, 70_000, 1_000_000])
    func congestion(messageBytes: Int) async throws {
        let clogged = try await Clogged(TransportOptions())
        let server = clogged.server
        #expect(!server.isCongested)
        let count = 8_000_000 / messageBytes
        for _ in 0..<count { server.send([UInt8](repeating: 1, count: messageBytes)) }
        #expect(server.isCongested)
        let waiters = (0..<3).map { _ in Task { await server.drain() } }
        let received = Background { [peer = Handover(clogged.peer)] in
            try peer.take().receiveBlocking(count: count * (13 + messageBytes)).count
        }
        for waiter in waiters { await waiter.value }
        #expect(!server.isCongested)
        try await eventually("all has left") { received.isDone }
        #expect(try received.value() == count * (13 + messageBytes))
        await server.drain()
        server.close(.disposed)
    }

    @Test("lets those go who wait when the connection ends")
    func drainAtTheEnd() async throws {
        var options = TransportOptions()
        options.lingerTimeout = .milliseconds(50)
        let clogged = try await Clogged(options)
        let server = clogged.server
        for _ in 0..<8 { server.send([UInt8](repeating: 1, count: 1_000_000)) }
        #expect(server.isCongested)
        let waiter = Task { await server.drain() }
        server.close(.disposed)
        await waiter.value
        #expect(!server.isCongested)
        try await eventually("the receiver is told") { clogged.receiver.end != nil }
        #expect(clogged.receiver.end == .disposed)
    }

    @Test("does not lose what was said before the end in a pause of the peer, where there is time for that")
    func leaving() async throws {
        var options = TransportOptions()
        options.lingerTimeout = .milliseconds(10)
        options.leavingTimeout = .seconds(60)
        let clogged = try await Clogged(options)
        clogged.server.send([UInt8](repeating: 1, count: 3_000_000))
        clogged.server.close(.disposed)
        letTimePass(milliseconds: 100)
        #expect(clogged.server.channel.isActive)
        #expect(clogged.receiver.end == nil)
    }

    @Test("has a bound, beyond which the connection ends")
    func bound() async throws {
        var options = TransportOptions()
        options.maximumPendingBytes = 4_000_000
        let clogged = try await Clogged(options)
        for _ in 0..<20 { clogged.server.send([UInt8](repeating: 1, count: 500_000)) }
        try await eventually("the receiver is told") { clogged.receiver.end != nil }
        #expect(clogged.receiver.end?.code == .slowPeer)
        #expect(clogged.receiver.end?.reason.contains("more than 4000000 bytes wait") == true)
        try await eventually("the channel is closed") { !clogged.server.channel.isActive }
    }

    @Test("ends in a time-out when the peer takes nothing at all", arguments: [10, 500_000, 3_000_000])
    func stall(messageBytes: Int) async throws {
        var options = TransportOptions()
        options.stallTimeout = .milliseconds(200)
        let clogged = try await Clogged(options)
        // The system's own buffers are filled first; then even a small message is not taken.
        clogged.server.send([UInt8](repeating: 1, count: 400_000))
        clogged.server.send([UInt8](repeating: 1, count: messageBytes))
        try await eventually("the receiver is told") { clogged.receiver.end != nil }
        #expect(clogged.receiver.end?.code == .slowPeer)
        #expect(clogged.receiver.end?.reason.contains("has taken nothing") == true)
        try await eventually("the channel is closed") { !clogged.server.channel.isActive }
    }

    @Test("is no time-out for a peer that is slow, or silent with nothing to read")
    func slowIsNotStalled() async throws {
        var options = TransportOptions()
        options.stallTimeout = .seconds(1)
        let clogged = try await Clogged(options)
        let size = 1_500_000
        clogged.server.send([UInt8](repeating: 1, count: size))
        let received = Background { [peer = Handover(clogged.peer)] in
            let peer = peer.take()
            // Half again as long as the time-out, but never nothing for long.
            var count = 0
            for _ in 0..<15 {
                letTimePass(milliseconds: 100)
                count += try peer.receiveBlocking(count: 60_000).count
            }
            count += try peer.receiveBlocking(count: size + 13 - count).count
            letTimePass(milliseconds: 1_300)
            return count
        }
        try await eventually("it has all") { received.isDone }
        #expect(try received.value() == size + 13)
        #expect(clogged.receiver.end == nil)
        clogged.server.close(.disposed)
    }

    @Test("slows the peer down when delivery is stopped, and nothing is lost", arguments: Road.allCases)
    func stoppedDelivery(road: Road) async throws {
        let pair = try await ConnectedPair(road)
        pair.server.setDelivering(false)
        // Whether it has stopped is seen by what is sent back: nothing, however long.
        let message = [UInt8](repeating: 3, count: 100_000)
        let count = 150
        for _ in 0..<count { pair.client.send(message) }
        letTimePass(milliseconds: 100)
        #expect(pair.client.isCongested)
        #expect(pair.serverReceiver.byteCount <= 1_000_000)
        pair.server.setDelivering(true)
        await pair.client.drain()
        try await eventually("all are there") { pair.serverReceiver.count == count }
        #expect(pair.serverReceiver.messages.allSatisfy { $0 == message })
        try await pair.close()
    }

    @Test("can stop delivery from within a delivery, with the very next message")
    func stopInside() async throws {
        let pair = try await ConnectedPair { server, message in
            if message[0] % 3 == 2 { server.setDelivering(false) }
        }
        for number in UInt8(0)..<10 { pair.client.send([number]) }
        for stop in [3, 6, 9] {
            try await eventually("some are there") { pair.serverReceiver.count == stop }
            letTimePass(milliseconds: 20)
            #expect(pair.serverReceiver.count == stop)
            pair.server.setDelivering(true)
        }
        try await eventually("all are there") { pair.serverReceiver.count == 10 }
        #expect(pair.serverReceiver.messages.map { $0[0] } == Array(0..<10))
        #expect(pair.serverReceiver.isInOrder)
        try await pair.close()
    }

    @Test("keeps the end back too, behind what was not delivered")
    func endWhileStopped() async throws {
        let pair = try await ConnectedPair { server, message in
            if message == [1] { server.setDelivering(false) }
        }
        for number in UInt8(1)..<4 { pair.client.send([number]) }
        pair.client.close(.disposed)
        try await eventually("the client is gone") { pair.clientReceiver.end != nil && pair.serverReceiver.count == 1 }
        try await eventually("it is closed") { !pair.client.channel.isActive }
        letTimePass(milliseconds: 20)
        #expect(pair.serverReceiver.end == nil)
        pair.server.setDelivering(true)
        try await eventually("the end is there") { pair.serverReceiver.end != nil }
        #expect(pair.serverReceiver.messages == [[1], [2], [3]])
        #expect(pair.serverReceiver.end == .closed)
        await pair.harbour.listener.close()
    }
}
