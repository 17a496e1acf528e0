// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

private let second = SessionStage.second

@Suite("The life of a persistent session")
struct SessionLifeTests {
    // MARK: - Time

    @Test("says that the peer is dead, with the numbers, once in twenty seconds")
    func timeOut() {
        var stage = SessionStage()
        stage.run(until: 7 * second)
        #expect(stage.timeOuts.isEmpty)
        stage.receive(Frame(type: .keepAlive))
        stage.run(until: 9 * second)
        stage.send("x")
        stage.send("y")
        stage.run(until: 29 * second - 1)
        #expect(stage.timeOuts.isEmpty)
        stage.run(until: 48 * second)
        #expect(stage.timeOuts.map(\.unacknowledgedCount) == [2])
        #expect(stage.timeOuts.map(\.oldestAge) == [20 * second])
        #expect(stage.timeOuts.map(\.silence) == [22 * second])
        stage.run(until: 50 * second)
        #expect(stage.timeOuts.count == 2)
    }

    @Test("does not time out while anything comes, while nothing is unacknowledged, or while there is no connection")
    func noTimeOut() {
        var stage = SessionStage()
        stage.run(until: 100 * second)
        stage.send("x")
        for seconds in 1...60 {
            stage.run(until: UInt64(100 + seconds) * second)
            // A part of a header is a sign of life.
            stage.receive([Frame(type: .keepAlive).encoded()[seconds % 13]])
        }
        stage.session.connectionLost()
        #expect(stage.session.nextDeadline == .max)
        stage.stop(until: 1_000 * second)
        stage.advance()
        #expect(stage.timeOuts.isEmpty)
    }

    @Test("does not take the peer for dead after it was itself stopped, before it has listened again")
    func stopped() {
        for keepAlive in [5 * second, nil] {
            var stage = SessionStage(SessionSettings(keepAlive: keepAlive))
            stage.send("x")
            stage.run(until: second)
            stage.stop(until: 20 * second + second / 10)
            stage.advance()
            #expect(stage.timeOuts.isEmpty)
            stage.run(until: 26 * second)
            #expect(stage.timeOuts.isEmpty)
            var dead = stage
            dead.run(until: 27 * second)
            #expect(dead.timeOuts.count == 1)
            stage.receive(Frame(type: .ack, ack: 1))
            stage.run(until: 60 * second)
            #expect(stage.timeOuts.isEmpty)
        }
    }

    // MARK: - Control messages and ends

    @Test("bounds Control messages that wait, and their size")
    func controls() throws {
        var session = PersistentSession(at: 0)
        #expect(throws: SessionFailure.self) { try session.sendControl(Array(repeating: 32, count: 4_097)) }
        #expect(session.failure == nil)
        for _ in 0..<64 { try session.sendControl([0x7b, 0x7d]) }
        #expect(throws: SessionFailure.self) { try session.sendControl([0x7b, 0x7d]) }
        #expect(session.failure?.code == .limit)
    }

    @Test("reads nothing after the peer's Disconnect, and can still say its own")
    func disconnected() {
        var stage = SessionStage()
        stage.receive(.message(1, "a"), Frame(type: .disconnect), .message(2, "b"))
        stage.send("x")
        stage.act { stage throws(SessionFailure) in stage.session.sendDisconnect() }
        stage.run(until: 60 * second)
        #expect(stage.texts == ["a"] && stage.disconnects == 1)
        #expect(stage.frames == [Frame(type: .disconnect)])
    }

    // MARK: - Connections

    @Test("opens after a handshake of Control messages, which no message precedes")
    func opening() {
        var stage = SessionStage(startsOpen: false)
        stage.send("context")
        stage.act { stage throws(SessionFailure) in try stage.session.sendControl([0x7b, 0x7d]) }
        stage.run(until: 6 * second)
        #expect(stage.frames.map(\.type) == [.control, .keepAlive])
        // Whoever wants to go on with a session acknowledges what another session has sent.
        stage.receive(Frame(type: .keepAlive, ack: 17))
        stage.act { stage throws(SessionFailure) in stage.session.open(at: stage.now) }
        #expect(stage.frames.last == .message(1, "context"))
        #expect(stage.failure == nil)

        for mode in [SessionSettings.Mode.strict, .lenient] {
            var early = SessionStage(SessionSettings(mode: mode), startsOpen: false)
            early.receive(.message(1, "a"))
            #expect(early.failure?.code == .malformed)
        }
    }

    @Test("is given a connection by another session, which has read its first Control message and no further")
    func handedOver() throws {
        var stage = SessionStage()
        stage.receive(.message(1, "a"), .message(2, "b"))
        stage.send("x")
        stage.send("y")
        stage.session.connectionLost()
        stage.send("z")
        #expect(stage.session.nextDeadline == .max && stage.frames.map(\.id) == [1, 2])
        stage.clear()

        let bytes = [
            Frame(type: .keepAlive, ack: 1), Frame(type: .control, body: [0x7b, 0x7d]), Frame(type: .ack, ack: 1),
            .message(3, "c"),
        ].flatMap { $0.encoded() }
        for cut in 28...bytes.count {
            var newcomer = PersistentSession(startsOpen: false, at: 0)
            newcomer.append(bytes.span.extracting(first: cut), at: 0)
            let event = try newcomer.nextEvent(at: 0)
            #expect(event == .control([0x7b, 0x7d]))
            var resumed = stage
            resumed.act { stage throws(SessionFailure) in
                stage.session.beginReconnection(unread: newcomer.takeUnread(), at: 0)
                try stage.session.sendControl([0x5b, 0x5d])
                stage.session.endReconnection(at: 0)
                try stage.takeEvents()
            }
            resumed.receive(Array(bytes[cut...]))
            #expect(resumed.texts == ["a", "b", "c"])
            // What was unread is taken before the replay, so an Ack frame in it counts.
            let replayed = Array(repeating: FrameType.regular, count: cut < 41 ? 3 : 2)
            #expect(resumed.frames.map(\.type) == [.control, .ack] + replayed)
            #expect(resumed.session.unacknowledgedCount == 2)
        }
    }

    @Test("refuses, if strict, messages of a new connection before it has said that it goes on")
    func earlyMessages() {
        for mode in [SessionSettings.Mode.strict, .lenient] {
            var stage = SessionStage(SessionSettings(mode: mode))
            stage.session.beginReconnection(at: 0)
            stage.receive(.message(1, "a"))
            #expect(stage.failure?.code == (mode == .strict ? .malformed : nil))
        }
    }

    @Test("with four thousand messages costs what they are, and nothing when they are acknowledged")
    func memory() {
        var stage = SessionStage(SessionSettings(keepAlive: nil))
        stage.session.connectionLost()
        for _ in 0..<4_000 { stage.send("0123456789") }
        #expect(stage.session.unacknowledgedByteCount == 4_000 * 23)
        stage.act { stage throws(SessionFailure) in
            stage.session.beginReconnection(at: 0)
            stage.session.endReconnection(at: 0)
        }
        stage.receive(Frame(type: .ack, ack: 4_000))
        #expect(stage.session.unacknowledgedByteCount == 0)
    }
}
