// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import Testing

@Suite("Messages over sockets")
struct MessageTests {
    @Test("go both ways, over Unix sockets, TCP and TLS", arguments: Road.allCases)
    func bothWays(road: Road) async throws {
        let pair = try await ConnectedPair(road)
        pair.client.send([1, 2, 3])
        pair.client.send([])
        pair.server.send([4])
        try await eventually("they are there") { pair.serverReceiver.count == 2 && pair.clientReceiver.count == 1 }
        #expect(pair.serverReceiver.messages == [[1, 2, 3], []])
        #expect(pair.clientReceiver.messages == [[4]])
        try await pair.close()
        #expect(pair.serverReceiver.isInOrder && pair.clientReceiver.isInOrder)
    }

    @Test("arrive in order when there are many, and answers sent from within a delivery too", arguments: Road.allCases)
    func manySmall(road: Road) async throws {
        let pair = try await ConnectedPair(road) { server, message in server.send(message) }
        let messages = (0..<10_000).map { number in [UInt8(number >> 8), UInt8(number & 255), 7] }
        for message in messages { pair.client.send(message) }
        try await eventually("all are back") { pair.clientReceiver.count == messages.count }
        #expect(pair.clientReceiver.messages == messages)
        #expect(pair.serverReceiver.messages == messages)
        try await pair.close()
    }

    @Test("keep their order per thread when several threads send")
    func manyThreads() async throws {
        let pair = try await ConnectedPair()
        await withTaskGroup(of: Void.self) { group in
            for sender in UInt8(0)..<4 {
                group.addTask {
                    for number in 0..<1_000 { pair.client.send([sender, UInt8(number >> 8), UInt8(number & 255)]) }
                }
            }
        }
        try await eventually("all are there") { pair.serverReceiver.count == 4_000 }
        for sender in UInt8(0)..<4 {
            let numbers = pair.serverReceiver.messages.filter { $0[0] == sender }.map { Int($0[1]) << 8 | Int($0[2]) }
            #expect(numbers == Array(0..<1_000))
        }
        try await pair.close()
    }

    @Test("may have 64 MiB, between small ones", arguments: Road.allCases)
    func large(road: Road) async throws {
        let pair = try await ConnectedPair(road)
        var large: [UInt8] = []
        let block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
        for number in 0..<1_024 {
            large += block
            large[large.count - 1] = UInt8(truncatingIfNeeded: number)
        }
        pair.client.send([1])
        pair.client.send(large)
        pair.client.send([2])
        try await eventually("all are there") { pair.serverReceiver.count == 3 }
        #expect(pair.serverReceiver.messages[0] == [1])
        #expect(pair.serverReceiver.messages[1] == large)
        #expect(pair.serverReceiver.messages[2] == [2])
        try await pair.close()
    }

    @Test("of every size around the buffers' own arrive whole", arguments: Road.allCases)
    func sizes(road: Road) async throws {
        let pair = try await ConnectedPair(road)
        let sizes = [
            0, 1, 1_010, 1_011, 1_012, 16_371, 16_384, 65_522, 65_535, 65_536, 65_537, 131_059, 131_072, 131_073,
            262_144, 300_001,
        ]
        for (index, size) in sizes.enumerated() {
            pair.client.send([UInt8](repeating: UInt8(index), count: size))
        }
        try await eventually("all are there") { pair.serverReceiver.count == sizes.count }
        #expect(pair.serverReceiver.messages.map(\.count) == sizes)
        for (index, message) in pair.serverReceiver.messages.enumerated() {
            #expect(message.allSatisfy { $0 == UInt8(index) })
        }
        try await pair.close()
    }

    @Test("wait for a receiver that comes late")
    func lateStart() async throws {
        let harbour = try await Harbour()
        let client = try await PlainConnection.connect(to: .unix(harbour.path))
        client.start(delivering: RecordingReceiver())
        client.send([1])
        client.send([2])
        let server = try await harbour.accept()
        client.close(.disposed)
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.messages == [[1], [2]])
        #expect(receiver.end == .closed)
    }

    @Test("of other types are skipped, whatever id and acknowledgement they have, as VS Code's reader does")
    func otherTypes() async throws {
        let harbour = try await Harbour()
        let peer = try RawPeer(unix: harbour.path)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try peer.send(Array("\u{03}".utf8) + [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0])
        try peer.send([1, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 42])
        try peer.send([77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1])
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 43])
        try await eventually("they are there") { receiver.count == 2 }
        #expect(receiver.messages == [[42], [43]])
        server.close(.disposed)
    }

    @Test("larger than the limit end the connection before their body has come")
    func tooLarge() async throws {
        var options = TransportOptions()
        options.maximumMessageBytes = 1_000
        let harbour = try await Harbour(options: options)
        let peer = try RawPeer(unix: harbour.path)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 233])
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.end?.code == .malformed)
        #expect(receiver.end?.reason.contains("1000") == true, "\(String(describing: receiver.end))")
    }
}
