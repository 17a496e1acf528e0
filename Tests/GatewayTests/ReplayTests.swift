// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPCProtocol
import Testing

@Suite("Recorded conversations through the gateway", .blocking)
struct ReplayTests {
    /// How the bytes of one side are cut.
    enum Chunking: String, CaseIterable, CustomTestStringConvertible {
        case asRecorded = "as recorded"
        case drop = "in small pieces"
        case once = "each turn in one write"

        var testDescription: String { self.rawValue }
    }

    static let names = [
        "connect", "connect-object-ctx", "call-success", "call-error", "unknown-channel", "events", "cancel",
        "reverse", "before-initialize", "dispose", "proxy", "big",
    ]

    /// Frames that stand together in the record, before the other side says something.
    struct Turn {
        var direction: Conversation.Direction
        var bytes: [UInt8] = []
        var pieces: [[UInt8]] = []
    }

    /// The conversation without what the gateway says itself: both openings, and both `[200]`.
    static func turns(_ conversation: Conversation) throws -> [Turn] {
        var turns: [Turn] = []
        var lastWrite = -1
        var hasContext = false
        for frame in conversation.frames {
            if frame.direction == .clientToServer, !hasContext {
                hasContext = true
                continue
            }
            if frame.body == IPCMessage.initialize { continue }
            let bytes = frame.frame.encoded()
            if turns.last?.direction != frame.direction { turns.append(Turn(direction: frame.direction)) }
            turns[turns.count - 1].bytes += bytes
            if frame.write == lastWrite, let last = turns[turns.count - 1].pieces.popLast() {
                turns[turns.count - 1].pieces.append(last + bytes)
            } else {
                turns[turns.count - 1].pieces.append(bytes)
            }
            lastWrite = frame.write
        }
        return turns
    }

    static func pieces(_ turn: Turn, _ chunking: Chunking) -> [[UInt8]] {
        switch chunking {
        case .asRecorded: turn.pieces
        case .once: [turn.bytes]
        case .drop: cut(turn.bytes)
        }
    }

    static func cut(_ bytes: [UInt8]) -> [[UInt8]] {
        let size = bytes.count > 10_000 ? 1_000 : 1
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    @Test("Each side receives exactly what the other sent", arguments: names, Chunking.allCases)
    func replay(_ name: String, _ chunking: Chunking) throws {
        let conversation = try Vectors.conversation(name)
        let bench = try GatewayBench(isEager: true) { $0.answers["stack"] = "pass" }
        let alice = try bench.connect(bench.alice())
        try self.replay(conversation, chunking, bench, context: "remote:alice", client: alice, index: 0)
        let announced = conversation.frames[0].value?.string
        if let announced {
            let ops = try bench.connect(bench.ops())
            try self.replay(conversation, chunking, bench, context: announced, client: ops, index: 1)
        }
        #expect(try bench.gateway.waitForClosings(announced == nil ? 1 : 2)["reason"] == "finished")
    }

    @Test("Each side receives exactly what the other sent, over a Unix socket", arguments: names, Chunking.allCases)
    func replayLocally(_ name: String, _ chunking: Chunking) throws {
        let bench = try GatewayBench.local(isEager: true) { $0.answers["stack"] = "pass" }
        let context = "local:\(getuid())"
        let client = bench.connectLocally()
        try self.replay(Vectors.conversation(name), chunking, bench, context: context, client: client, index: 0)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    private func replay(
        _ conversation: Conversation,
        _ chunking: Chunking,
        _ bench: GatewayBench,
        context: String,
        client: TestClient,
        index: Int
    ) throws {
        let announcement = conversation.frames[0].frame.encoded() + RecordingUpstream.initialize
        for piece in chunking == .drop ? Self.cut(announcement) : [announcement] { client.send(piece) }
        var toUpstream = RecordingUpstream.opening(context: context)
        var toClient = RecordingUpstream.initialize
        #expect(try client.receive(count: toClient.count) == toClient)
        let server = try bench.recording().connection(index)
        #expect(try server.receive(count: toUpstream.count) == toUpstream)
        for piece in chunking == .drop ? Self.cut(RecordingUpstream.initialize) : [RecordingUpstream.initialize] {
            try server.send(piece)
        }
        for turn in try Self.turns(conversation) {
            for piece in Self.pieces(turn, chunking) {
                if turn.direction == .clientToServer { client.send(piece) } else { try server.send(piece) }
            }
            if turn.direction == .clientToServer {
                toUpstream += turn.bytes
                try server.receive(count: toUpstream.count)
            } else {
                toClient += turn.bytes
                try client.receive(count: toClient.count)
            }
        }
        client.finishSending()
        #expect(try server.receiveToEnd() == toUpstream)
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == toClient)
    }
}
