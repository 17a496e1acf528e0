// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Frames that a session receives")
struct ReceptionTests {
    /// What a strict session does otherwise than VS Code: its failure, or nil where it reads less.
    private static let strictly: [String: SessionCode?] = [
        "id 0 ignored": .malformed,
        "first id 5 is a gap": .stateLost,
        "ack on a frame dropped because of a gap still counts": .stateLost,
        "ack on an unknown type": .malformed,
        "ack beyond what was sent": .stateLost,
        "Disconnect": nil,
        "Disconnect twice": nil,
    ]

    private func play(_ vector: PersistentReception, mode: SessionSettings.Mode, pieces: Int) -> SessionStage {
        var stage = SessionStage(SessionSettings(mode: mode, keepAlive: nil))
        for text in vector.localSends {
            stage.send(text)
        }
        #expect(stage.frames == vector.wroteBefore.map(\.frame), "\(vector.name)")
        stage.clear()
        stage.receive(vector.input.flatMap { $0.frame.encoded() }, inPiecesOf: pieces)
        return stage
    }

    private func matches(_ stage: SessionStage, _ vector: PersistentReception) -> Bool {
        stage.failure == nil && stage.texts == vector.delivered
            && stage.controls.map { String(decoding: $0, as: UTF8.self) } == vector.control
            && stage.disconnects == vector.disposeEvents && stage.frames == vector.wroteAfter.map(\.frame)
            && stage.session.unacknowledgedCount == vector.unacknowledged
    }

    @Test(
        "are judged as VS Code judges them in lenient mode, but for the one that is refused",
        arguments: [1, 7, Int.max]
    )
    func lenient(pieces: Int) throws {
        let vectors = try Vectors.frames().receive
        #expect(vectors.count == 18)
        for vector in vectors {
            let stage = play(vector, mode: .lenient, pieces: pieces)
            if vector.name == "ack beyond what was sent" {
                #expect(stage.failure?.code == .stateLost)
            } else {
                #expect(matches(stage, vector), "\(vector.name)")
            }
        }
    }

    @Test("are judged the same in strict mode, or refused as documented")
    func strict() throws {
        var odd: Set<String> = []
        for vector in try Vectors.frames().receive {
            let stage = play(vector, mode: .strict, pieces: 5)
            if let expected = Self.strictly[vector.name] {
                odd.insert(vector.name)
                #expect(stage.failure?.code == expected, "\(vector.name)")
                #expect(stage.texts.isEmpty && stage.disconnects <= 1, "\(vector.name)")
                #expect(stage.failure != nil || stage.disconnects == 1, "\(vector.name)")
            } else {
                #expect(matches(stage, vector), "\(vector.name)")
            }
        }
        #expect(odd == Set(Self.strictly.keys))
    }

    @Test("have no body, no number and a known type where the protocol says so; lenient sessions drop what there is")
    func forms() throws {
        let odd = [
            Frame(type: .ack, body: [1]), Frame(type: .keepAlive, id: 1), Frame(type: FrameType(rawValue: 4)),
            Frame(type: .none), Frame(type: FrameType(rawValue: 255)), Frame(type: .pause, body: [0]),
            Frame(type: .control, id: 3, body: [0x7b, 0x7d]),
        ]
        for frame in odd {
            var strict = SessionStage()
            strict.receive(frame)
            let code: SessionCode = frame.type != .control && !frame.body.isEmpty ? .limit : .malformed
            #expect(strict.failure?.code == code, "\(frame.type)")
            #expect(strict.session.failure == strict.failure)

            var lenient = SessionStage(SessionSettings(mode: .lenient))
            lenient.receive(frame, Frame(type: .resume), .message(1, "a"))
            #expect(lenient.failure == nil && lenient.texts == ["a"], "\(frame.type)")
        }
    }

    @Test("are refused by their header alone when they are too large")
    func sizes() {
        let limits = IPCLimits(frameBytes: 100)
        for mode in [SessionSettings.Mode.strict, .lenient] {
            for (type, allowed) in [(FrameType.control, 4_096), (.regular, 100)] {
                var stage = SessionStage(SessionSettings(mode: mode, limits: limits))
                let id: UInt32 = type == .regular ? 1 : 0
                stage.receive(Frame(type: type, id: id, body: Array(repeating: 32, count: allowed)))
                #expect(stage.failure == nil && stage.messages.count + stage.controls.count == 1)
                var header: [UInt8] = []
                FrameHeader(type: type, id: id == 0 ? 0 : 2, length: UInt32(allowed) + 1).append(to: &header)
                stage.receive(header)
                #expect(stage.failure?.code == .limit)
                #expect(stage.session.bufferedByteCount == 0)
            }
        }
    }

    @Test("mean nothing after a failure, which stays")
    func failed() {
        var stage = SessionStage()
        stage.send("x")
        stage.receive(Frame(type: .ack, ack: 2))
        let failure = stage.failure
        #expect(failure?.message == "message 2 is acknowledged, but the last one sent is 1")
        #expect(!stage.session.canSend && stage.session.unacknowledgedByteCount == 0)
        #expect(stage.session.nextDeadline == .max)
        stage.receive(.message(1, "a"))
        stage.send("y")
        #expect(stage.failure == failure && stage.messages.isEmpty)
        stage.clear()
        stage.act { stage throws(SessionFailure) in try stage.session.sendControl([0x7b, 0x7d]) }
        #expect(stage.frames.map(\.type) == [.control])
    }
}
