// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("A pair in memory")
struct MessagePairTests {
    @Test("What one sends the other receives, in order, also what was sent before it started")
    func order() async throws {
        let (near, far) = MessagePair.make()
        for number in 0..<100 { near.send([UInt8(number)]) }
        let peer = RawPeer(over: far)
        for number in 100..<200 { near.send([UInt8(number)]) }
        try await eventually("all have come") { peer.received.count == 200 }
        #expect(peer.received == (0..<200).map { [UInt8($0)] })
    }

    @Test("What was sent before a close arrives before the end; nothing is sent after it")
    func close() async throws {
        let (near, far) = MessagePair.make()
        let (sender, peer) = (RawPeer(over: near), RawPeer(over: far))
        for number in 0..<100 { sender.send([UInt8(number)]) }
        sender.close()
        sender.send([255])
        try await eventually("both have ended") { sender.end != nil && peer.end != nil }
        #expect(sender.end == .disposed)
        #expect(peer.end == .closed)
        #expect(peer.received.count == 100)
        peer.send([1])
        peer.close()
        #expect(peer.end == .closed)
        #expect(sender.received.isEmpty)
    }

    @Test("Of several ends the first counts, one before the start included")
    func firstEnd() async throws {
        let (near, far) = MessagePair.make()
        near.close(ConnectionEnd(.slowPeer, "first"))
        near.close(.disposed)
        let (closer, peer) = (RawPeer(over: near), RawPeer(over: far))
        try await eventually("both have ended") { closer.end != nil && peer.end != nil }
        #expect(closer.end?.code == .slowPeer)
        #expect(peer.end == .closed)
    }

    @Test("A side that has closed receives nothing more of what had come")
    func nothingAfterClose() async throws {
        let (near, far) = MessagePair.make()
        far.send([1])
        near.close(ConnectionEnd(.malformed, "no"))
        let closer = RawPeer(over: near)
        try await eventually("it has ended") { closer.end != nil }
        #expect(closer.received.isEmpty)
    }

    @Test("It is congested while the other side does not take what it is sent, and drained when it does or has gone")
    func congestion() async throws {
        for leaves in [false, true] {
            let (near, far) = MessagePair.make()
            let peer = RawPeer(over: far)
            far.setDelivering(false)
            #expect(!near.isCongested)
            for _ in 0..<3 { near.send([UInt8](repeating: 0, count: 500_000)) }
            #expect(near.isCongested)
            let drained = Log<Bool>()
            let waiting = Task.immediate {
                await near.drain()
                drained.append(near.isCongested)
            }
            #expect(drained.entries.isEmpty)
            if leaves { peer.close() } else { far.setDelivering(true) }
            await waiting.value
            #expect(drained.entries == [false])
            await near.drain()
        }
    }

    @Test("Delivery stops when it is told to, and goes on where it stopped")
    func pause() async throws {
        let (near, far) = MessagePair.make()
        let peer = RawPeer(over: far)
        near.send([1])
        try await eventually("the first has come") { peer.received.count == 1 }
        far.setDelivering(false)
        near.send([2])
        near.send([3])
        letTimePass(milliseconds: 5)
        #expect(peer.received == [[1]])
        far.setDelivering(true)
        try await eventually("all have come") { peer.received == [[1], [2], [3]] }
    }
}
