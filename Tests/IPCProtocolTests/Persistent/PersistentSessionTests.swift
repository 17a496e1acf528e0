// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

private let second = SessionStage.second

@Suite("A persistent session")
struct PersistentSessionTests {
    // MARK: - Acknowledgements

    @Test("acknowledges a one-way stream by keep-alives, or every five seconds without them")
    func steadyStream() {
        for keepAlive in [5 * second, nil] {
            var stage = SessionStage(SessionSettings(keepAlive: keepAlive))
            for id in 1...120 {
                stage.receive(.message(UInt32(id), "a"))
                stage.run(until: UInt64(id) * second / 10)
            }
            let type: FrameType = keepAlive == nil ? .ack : .keepAlive
            #expect(stage.frames.map(\.type) == [type, type])
            #expect(stage.frames.allSatisfy { $0.ack > 40 })
        }
    }

    @Test("acknowledges early at a quarter of the window, by choice, so that a stream never waits for the time")
    func earlyAcknowledgement() {
        let window = SessionWindow(messages: 100, bytes: 1 << 20)
        var sender = SessionStage(SessionSettings(window: window))
        var receiver = SessionStage(SessionSettings(acknowledgesEarlyAt: window.quarter))
        for _ in 0..<10_000 {
            #expect(sender.session.canSend)
            sender.send("a")
            receiver.receive(sender.frames.flatMap { $0.encoded() })
            sender.clear()
            sender.receive(receiver.frames.flatMap { $0.encoded() })
            receiver.clear()
        }
        #expect(receiver.messages.count == 10_000 && sender.now == 0)
    }

    @Test("writes no Ack frame for what its own messages acknowledge")
    func piggybacked() {
        let early = SessionWindow(messages: 4, bytes: 1 << 20)
        var stage = SessionStage(SessionSettings(acknowledgesEarlyAt: early, keepAlive: nil))
        for id in UInt32(1)...100 {
            stage.receive(.message(id, "a"))
            stage.send("b")
        }
        #expect(stage.frames.map(\.type) == Array(repeating: .regular, count: 100))
        #expect(stage.frames.map(\.ack) == Array(1...100))
        #expect(stage.session.nextDeadline > 2 * second)
    }

    @Test("tells the sender to wait at the bound of its window, and ends when he does not")
    func window() {
        var settings = SessionSettings(
            window: SessionWindow(messages: 10, bytes: 1_000),
            reserve: SessionWindow(messages: 2, bytes: 100)
        )
        settings.keepAlive = nil
        var stage = SessionStage(settings)
        for _ in 0..<10 {
            #expect(stage.session.canSend)
            stage.send("a")
        }
        #expect(!stage.session.canSend)
        stage.receive(Frame(type: .ack, ack: 4))
        #expect(stage.session.canSend && stage.session.unacknowledgedCount == 6)
        for _ in 0..<6 { stage.send("a") }
        #expect(stage.failure == nil)
        stage.send("a")
        #expect(stage.failure?.code == .limit)
        #expect(stage.session.unacknowledgedByteCount == 0)
    }

    @Test("ends its sequence numbers instead of starting again, and what was sent still arrives")
    func exhausted() {
        var settings = SessionSettings()
        settings.highestID = 3
        var stage = SessionStage(settings)
        for _ in 0..<3 { stage.send("a") }
        #expect(!stage.session.canSend && stage.session.messagesLeft == 0)
        stage.send("b")
        #expect(stage.failure?.code == .sequenceExhausted && stage.session.failure == nil)
        #expect(stage.frames.map(\.id) == [1, 2, 3])
        stage.receive(Frame(type: .ack, ack: 3))
        #expect(stage.session.unacknowledgedCount == 0 && !stage.session.canSend)
    }

    // MARK: - Replay

    @Test("answers requests for a replay now and then, however many come, and never while one waits to be written")
    func replays() {
        var stage = SessionStage(SessionSettings(keepAlive: nil))
        for _ in 0..<10 { stage.send("a") }
        stage.clear()
        for _ in 0..<100 { stage.receive(Frame(type: .replayRequest)) }
        #expect(stage.frames.map(\.id) == Array(1...10))
        stage.receive(Frame(type: .ack, ack: 8))
        stage.run(until: 4 * second)
        #expect(stage.written.count == 10)
        stage.run(until: 5 * second)
        #expect(stage.frames.suffix(2).map(\.id) == [9, 10] && stage.written.count == 12)
        stage.receive(Frame(type: .ack, ack: 10), Frame(type: .replayRequest))
        stage.run(until: 30 * second)
        #expect(stage.written.count == 12)
    }

    @Test("does not start a replay while the last one is being written, however slowly")
    func slowReplay() throws {
        var settings = SessionSettings(keepAlive: nil)
        settings.replaySpacing = 0
        var session = PersistentSession(settings: settings, at: 0)
        for _ in 0..<4 { try session.send([1], at: 0) }
        while session.nextFrame(at: 0) != nil {}
        let request = FrameHeader(type: .replayRequest, length: 0)
        var ids: [UInt32] = []
        for _ in 0..<4 {
            _ = try session.receive(request, at: 0)
            ids.append(session.nextFrame(at: 0)?.id ?? 0)
        }
        ids.append(session.nextFrame(at: 0)?.id ?? 0)
        #expect(ids == [1, 2, 3, 4, 1])
    }

    @Test("asks for a replay at most every ten seconds, and again when nothing comes of it")
    func replayRequests() {
        var stage = SessionStage(SessionSettings(keepAlive: nil))
        stage.receive(.message(1, "a"), .message(3, "c"), .message(4, "d"))
        stage.run(until: 9 * second)
        stage.receive(.message(5, "e"))
        let requests = { (stage: SessionStage) in stage.frames.filter { $0.type == .replayRequest }.count }
        #expect(requests(stage) == 1)
        stage.run(until: 10 * second)
        #expect(requests(stage) == 2)
        stage.receive(.message(2, "b"), .message(3, "c"), .message(4, "d"), .message(5, "e"))
        stage.run(until: 100 * second)
        #expect(requests(stage) == 2)
        #expect(stage.texts == ["a", "b", "c", "d", "e"])
    }

    @Test("does not take messages for which there is no room, but what they acknowledge")
    func declined() {
        var stage = SessionStage(SessionSettings(keepAlive: nil))
        stage.send("x")
        stage.session.takeMessages(false, at: 0)
        stage.receive(.message(1, "a", ack: 1), .message(2, "b"))
        #expect(stage.messages.isEmpty && stage.session.unacknowledgedCount == 0)
        stage.run(until: 60 * second)
        #expect(stage.written.count == 1)
        stage.act { stage throws(SessionFailure) in stage.session.takeMessages(true, at: stage.now) }
        #expect(stage.frames.last == Frame(type: .replayRequest))
        stage.receive(.message(1, "a", ack: 1), .message(2, "b"))
        #expect(stage.texts == ["a", "b"])
        stage.run(until: 62 * second)
        #expect(stage.frames.last == Frame(type: .ack, ack: 2))
    }

    // MARK: - Pause

    @Test("writes nothing while it is paused, keeps no more than its window, and forgets a pause with the connection")
    func pause() {
        var stage = SessionStage(SessionSettings(window: SessionWindow(messages: 5, bytes: 10_000)))
        stage.receive(Frame(type: .pause), .message(1, "a"))
        while stage.session.canSend { stage.send("x") }
        stage.session.sendDisconnect()
        stage.run(until: 18 * second)
        #expect(stage.written.isEmpty && !stage.session.hasOutput && stage.session.unacknowledgedCount == 5)
        stage.receive(Frame(type: .resume))
        #expect(stage.frames.map(\.type) == Array(repeating: .regular, count: 5) + [.disconnect])

        var other = SessionStage()
        other.receive(Frame(type: .pause))
        other.send("x")
        #expect(other.written.isEmpty)
        other.act { stage throws(SessionFailure) in
            stage.session.beginReconnection(at: stage.now)
            stage.session.endReconnection(at: stage.now)
        }
        #expect(other.frames.map(\.type) == [.ack, .regular])
    }

    @Test("keeps one keep-alive and one acknowledgement for a paused connection, not one for every five seconds")
    func pausedForLong() {
        var stage = SessionStage()
        stage.receive(.message(1, "a"), Frame(type: .pause))
        stage.run(until: 3_600 * second)
        stage.receive(Frame(type: .resume))
        #expect(stage.frames == [Frame(type: .ack, ack: 1), Frame(type: .keepAlive, ack: 1)])
    }

    @Test("refuses a pause where it is not accepted")
    func refusedPause() {
        var settings = SessionSettings()
        settings.acceptsPause = false
        var stage = SessionStage(settings)
        stage.receive(Frame(type: .pause))
        #expect(stage.failure?.code == .notAllowed)
    }
}
