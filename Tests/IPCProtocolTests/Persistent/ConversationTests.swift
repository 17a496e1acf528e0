// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

/// Conversations between two sessions of VS Code, with one of the two replaced by ours.
@Suite("Recorded persistent conversations")
struct PersistentConversationTests {
    /// What the application does at an event, besides sending what is recorded when it is recorded.
    private enum Action {
        case send(String)
        case control(String)
        case disconnect
        case lose
        case begin
        case end
        case unacknowledged(Int)
    }

    private struct Cue: Hashable {
        var event: String
        var role: Conversation.Direction
    }

    private static let cues: [Cue: [Action]] = [
        Cue(event: "client unacknowledged 3", role: .clientToServer): [.unacknowledged(3)],
        Cue(event: "client unacknowledged 0 (server ack timer fired)", role: .clientToServer): [.unacknowledged(0)],
        Cue(event: "client unacknowledged 0", role: .clientToServer): [.unacknowledged(0)],
        Cue(event: "server unacknowledged 0", role: .serverToClient): [.unacknowledged(0)],
        Cue(event: "unacknowledged client 0 server 1", role: .clientToServer): [.unacknowledged(0)],
        Cue(event: "unacknowledged client 0 server 1", role: .serverToClient): [.unacknowledged(1)],
        Cue(event: "server sends b1, b2 and a control message (nothing may be written)", role: .serverToClient): [
            .send("b1"), .send("b2"), .control(#"{"x":1}"#),
        ],
        Cue(event: "server dispose events: 1", role: .clientToServer): [.disconnect],
        Cue(event: "socket 1 is destroyed on both sides", role: .clientToServer): [.lose],
        Cue(event: "socket 1 is destroyed on both sides", role: .serverToClient): [.lose],
        Cue(event: "server: beginAcceptReconnection(socket 2) + endAcceptReconnection", role: .serverToClient): [
            .begin, .end,
        ],
        Cue(
            event:
                "client: beginAcceptReconnection(socket 2); sends a4 before the reconnection is complete (held back)",
            role: .clientToServer
        ): [.begin, .send("a4")],
        Cue(event: "client: endAcceptReconnection", role: .clientToServer): [.end],
    ]

    /// A session in one of the two roles.
    private struct Player {
        var stage: SessionStage
        let role: Conversation.Direction
        /// Whether the loss of a connection is noticed; VS Code goes on writing to a dead one.
        let noticesLoss: Bool
        var socket = 1
        /// What came on a connection that the application has not begun to use.
        var unread: [UInt8] = []
        /// The messages that this side will send, by the record.
        var sends: [Frame]

        init(_ conversation: PersistentConversation, role: Conversation.Direction, noticesLoss: Bool) {
            stage = SessionStage(PersistentConversationTests.settings(conversation.name))
            self.role = role
            self.noticesLoss = noticesLoss
            sends = conversation.steps.reduce(into: []) { sends, moment in
                guard case .written(let written) = moment.step, written.direction == role,
                    written.frame.type == .regular, written.frame.id == UInt32(sends.count) + 1
                else { return }
                sends.append(written.frame)
            }
        }

        mutating func play(_ moment: PersistentConversation.Moment) {
            stage.run(until: moment.time * SessionStage.millisecond)
            switch moment.step {
            case .event(let event):
                for action in PersistentConversationTests.cues[Cue(event: event, role: role)] ?? [] {
                    perform(action)
                }
                stage.act { stage throws(SessionFailure) in try stage.takeEvents() }
            case .written(let written) where written.direction != role:
                guard !written.isLost else { return }
                if written.socket > socket {
                    unread += written.frame.encoded()
                } else {
                    sendWhatCrosses(written.frame)
                    stage.receive(written.frame)
                }
            case .written(let written): sendIfNew(written.frame)
            }
        }

        /// A message that does not acknowledge the frame that comes now was sent before it came.
        private mutating func sendWhatCrosses(_ frame: Frame) {
            let next = Int(stage.session.lastSentID)
            if frame.type == .regular, next < sends.count, sends[next].ack < frame.id {
                sendIfNew(sends[next])
            }
        }

        private mutating func sendIfNew(_ frame: Frame) {
            stage.act { stage throws(SessionFailure) in
                switch frame.type {
                case .regular where frame.id == stage.session.lastSentID + 1:
                    try stage.session.send(frame.body, at: stage.now)
                case .pause: try stage.session.sendPause()
                case .resume: try stage.session.sendResume()
                case .disconnect: stage.session.sendDisconnect()
                default: break
                }
            }
        }

        private mutating func perform(_ action: Action) {
            switch action {
            case .send(let text): stage.send(text)
            case .control(let json):
                stage.act { stage throws(SessionFailure) in try stage.session.sendControl(Array(json.utf8)) }
            case .disconnect: stage.act { stage throws(SessionFailure) in stage.session.sendDisconnect() }
            case .lose where noticesLoss: stage.session.connectionLost()
            case .lose: break
            case .begin:
                let bytes = unread
                unread = []
                socket += 1
                stage.act { stage throws(SessionFailure) in
                    stage.session.beginReconnection(unread: bytes, at: stage.now)
                }
            case .end: stage.act { stage throws(SessionFailure) in stage.session.endReconnection(at: stage.now) }
            case .unacknowledged(let count): #expect(stage.session.unacknowledgedCount == count)
            }
        }
    }

    private static func settings(_ name: String) -> SessionSettings {
        // In the recorded reconnection messages arrive while one side has not yet agreed to go on.
        let mode: SessionSettings.Mode = name == "persistent-reconnect" ? .lenient : .strict
        var settings = SessionSettings(mode: mode, keepAlive: name == "persistent-ack" ? nil : 5 * SessionStage.second)
        // VS Code replays as often as it is asked to, in this recording twice within 16 ms.
        settings.replaySpacing = name == "persistent-replay-request" ? 0 : settings.replaySpacing
        return settings
    }

    private func play(_ name: String, as role: Conversation.Direction, noticesLoss: Bool) throws {
        let conversation = try Vectors.persistentConversation(name)
        var player = Player(conversation, role: role, noticesLoss: noticesLoss)
        var expected: [(time: UInt64, frame: Frame)] = []
        var incoming: [UInt32: [UInt8]] = [:]
        for moment in conversation.steps {
            player.play(moment)
            guard case .written(let written) = moment.step,
                !(written.isLost && (noticesLoss || written.direction != role))
            else { continue }
            if written.direction == role {
                expected.append((moment.time, written.frame))
            } else if written.frame.type == .regular {
                incoming[written.frame.id] = written.frame.body
            }
        }
        let stage = player.stage
        #expect(stage.failure == nil)
        #expect(stage.timeOuts.isEmpty)
        #expect(stage.frames.map { $0.encoded() } == expected.map { $0.frame.encoded() }, "\(name) as \(role)")
        for (found, recorded) in zip(stage.written, expected) {
            let time = found.time / SessionStage.millisecond
            #expect(
                max(time, recorded.time) - min(time, recorded.time) <= 20,
                "\(recorded.frame) at \(recorded.time) ms"
            )
        }
        #expect(stage.messages == incoming.sorted { $0.key < $1.key }.map(\.value))
    }

    @Test("are spoken byte for byte and at the recorded times, by the client and by the server")
    func conversations() throws {
        let names = try Vectors.persistentConversationNames()
        #expect(names.count == 7)
        for name in names {
            try play(name, as: .serverToClient, noticesLoss: false)
            // There the client is hand-written, see below.
            guard name != "persistent-replay-request" else { continue }
            try play(name, as: .clientToServer, noticesLoss: false)
        }
    }

    @Test("go on the same when the loss of a connection is noticed at once")
    func noticed() throws {
        try play("persistent-reconnect", as: .clientToServer, noticesLoss: true)
        try play("persistent-reconnect", as: .serverToClient, noticesLoss: true)
    }

    @Test("with a loss are mended by a replay, also where the sender is ours")
    func replay() throws {
        var client = SessionStage()
        var server = SessionStage(Self.settings("persistent-replay-request"))
        for text in ["m1", "m2", "m3", "m4"] {
            client.send(text)
        }
        for frame in client.frames where frame.id != 2 {
            server.receive(frame)
        }
        #expect(server.texts == ["m1"])
        #expect(server.frames == [Frame(type: .replayRequest)])
        client.clear()
        client.receive(Frame(type: .replayRequest))
        #expect(client.frames.map(\.id) == [1, 2, 3, 4])
        server.receive(client.frames.flatMap { $0.encoded() })
        #expect(server.texts == ["m1", "m2", "m3", "m4"])
    }
}
