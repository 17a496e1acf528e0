// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Frames in pieces", .blocking)
struct PiecesTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    /// Around the sizes at which the gateway reads and copies otherwise, small ones among large ones.
    private static let payloads: [IPCValue] = {
        var random = SeededGenerator(seed: 8)
        let edges = [0, 40, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 600 << 10]
        return (0..<72).map { index in
            let count = edges[index % edges.count] + Int.random(in: 0..<80, using: &random)
            return .buffer((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) })
        }
    }()

    /// Cut anywhere: within headers, names and payloads, and several frames in one piece.
    private static func pieces(of bytes: [UInt8], seed: UInt64) -> [[UInt8]] {
        var random = SeededGenerator(seed: seed)
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let most = [20, 3000, 90_000, 500_000].randomElement(using: &random) ?? 1
            let end = min(bytes.count, start + Int.random(in: 1...most, using: &random))
            pieces.append([UInt8](bytes[start..<end]))
            start = end
        }
        return pieces
    }

    @Test("A client's frames reach the server byte for byte and in order, however they are cut", arguments: [1, 2, 3])
    func fromClient(seed: UInt64) throws {
        let bench = try GatewayBench(isEager: true)
        let files = try bench.alice()
        let (port, tls) = (bench.gateway.port, bench.tls(files))
        let frames = Self.payloads.enumerated().flatMap { Sample.call(UInt64($0), $1) }
        let sending = Background {
            let client = TestClient(port: port, tls: tls)
            client.open()
            for piece in Self.pieces(of: frames, seed: seed) { client.send(piece) }
            client.finishSending()
            return try client.receiveToEnd() == .inOrder
        }
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        let received = try server.receiveToEnd(within: .seconds(30))
        #expect(received.elementsEqual(Self.opening + frames), "\(received.count) bytes")
        server.close()
        #expect(try sending.value())
    }

    @Test("A large frame is passed on as soon as its last byte has come, whatever pieces and records it came in")
    func nothingBehind() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        var count = Self.opening.count
        for (index, payload) in Self.payloads.enumerated() {
            // Nothing follows it, so whoever waits for more bytes than there are waits in vain.
            let frames = Sample.call(UInt64(index), payload)
            for piece in Self.pieces(of: frames, seed: UInt64(index)) { client.send(piece) }
            count += frames.count
            let received = try server.receive(count: count)
            #expect(received.count == count && received.suffix(frames.count).elementsEqual(frames), "call \(index)")
        }
    }

    @Test("A client that begins a large frame fast and goes on slowly is not taken for one that is silent")
    func fastThenSlow() throws {
        let bench = try GatewayBench(isEager: true) { $0.timeouts = ["idle": "1s"] }
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        let frames = Sample.call(1, .buffer([UInt8](repeating: 1, count: 200 << 10)))
        client.send(Array(frames.prefix(40 << 10)))
        let slow = frames.dropFirst(40 << 10)
        for start in stride(from: slow.startIndex, to: slow.endIndex, by: 10 << 10) {
            #expect(!client.receiveSome(milliseconds: 200))
            client.send(Array(slow[start..<min(slow.endIndex, start + 10 << 10)]))
        }
        let received = try server.receive(count: Self.opening.count + frames.count)
        #expect(received.elementsEqual(Self.opening + frames))
    }

    @Test("A client that is gone in the middle of a large frame is noticed at once", arguments: [false, true])
    func cutOff(isReset: Bool) throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        client.send(Array(Sample.call(1, .buffer([UInt8](repeating: 1, count: 600 << 10))).prefix(100 << 10)))
        client.disappear(reset: isReset)
        let received = try server.receiveToEnd(within: .seconds(10))
        #expect(received.elementsEqual(Self.opening), "\(received.count) bytes")
    }

    @Test("A server's frames reach the client byte for byte and in order, however they are cut", arguments: [4, 5, 6])
    func fromServer(seed: UInt64) throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        try server.send(RecordingUpstream.initialize)
        _ = try Sample.subscribe(client, server, ids: 0..<UInt64(Self.payloads.count))
        let frames = Self.payloads.enumerated().flatMap { Sample.event(UInt64($0), $1) }
        let sending = Background {
            for piece in Self.pieces(of: frames, seed: seed) { try server.send(piece) }
            server.close()
        }
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received.elementsEqual(RecordingUpstream.initialize + frames), "\(client.received.count) bytes")
        try sending.value()
    }
}
