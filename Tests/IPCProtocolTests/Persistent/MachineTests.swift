// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@testable import IPCProtocol

private let second = SessionStage.second

/// Runs something that may end a session; returns why it would.
private func failure(_ body: () throws(SessionFailure) -> Void) -> SessionFailure? {
    do throws(SessionFailure) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The frames that a window has to write, at most so many.
private func frames(_ window: inout OutgoingWindow, count: Int = .max) -> [Frame] {
    var frames: [Frame] = []
    while frames.count < count, let frame = window.next() {
        frames.append(frame)
    }
    return frames
}

/// What a sequence makes of messages.
private func verdicts(
    _ incoming: inout IncomingSequence,
    _ ids: UInt32...,
    isTaken: Bool = true
) throws -> [IncomingSequence.Verdict] {
    var verdicts: [IncomingSequence.Verdict] = []
    for id in ids {
        verdicts.append(try incoming.judge(id, isTaken: isTaken))
    }
    return verdicts
}

@Suite("The parts of a persistent session")
struct MachineTests {
    // MARK: - The window

    private func window(of count: UInt32, _ change: (inout SessionSettings) -> Void = { _ in }) throws -> OutgoingWindow
    {
        var settings = SessionSettings()
        change(&settings)
        var window = OutgoingWindow(settings: settings)
        for index in 0..<count {
            try window.append([UInt8(index % 256)], ack: index, at: UInt64(index))
        }
        return window
    }

    @Test("a window writes what was sent in order, and again after a replay, with the acknowledgements it had")
    func replay() throws {
        var window = try window(of: 3)
        let first = frames(&window)
        #expect(first.map(\.id) == [1, 2, 3])
        #expect(first.map(\.ack) == [0, 1, 2])
        try window.acknowledge(1)
        window.replay(at: 50)
        #expect(window.isReplaying && window.oldestSentAt == 50)
        let again = frames(&window)
        #expect(again == Array(first[1...]))
        #expect(!window.isReplaying && !window.hasUnwritten)
        try window.acknowledge(3)
        #expect(window.count == 0 && window.byteCount == 0 && window.oldestSentAt == nil)
    }

    @Test("messages that are copied into memory of acknowledged ones are written as they were sent, again in a replay")
    func copies() throws {
        var window = try window(of: 0)
        var generator = SeededGenerator(seed: 8)
        var sent: [[UInt8]] = []
        for round in 0..<200 {
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                let count = Int.random(in: 0...(round % 3 == 0 ? 400 : 40), using: &generator)
                let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                sent.append(body)
                if round % 5 == 0 {
                    try window.append(body, ack: 0, at: 0)
                } else {
                    try window.append(copying: body.span, ack: 0, at: 0)
                }
            }
            let first = frames(&window)
            window.replay(at: 0)
            let again = frames(&window)
            #expect(again.suffix(first.count) == first[...])
            let isWrong = again.contains { $0.body != sent[Int($0.id) - 1] }
            #expect(!isWrong)
            let acknowledged = UInt32.random(in: window.acknowledged...window.lastID, using: &generator)
            try window.acknowledge(acknowledged)
        }
    }

    @Test("a window does not write again what is acknowledged in the middle of a replay")
    func acknowledgedReplay() throws {
        var window = try window(of: 4)
        _ = frames(&window)
        window.replay(at: 9)
        _ = frames(&window, count: 1)
        try window.acknowledge(3)
        let rest = frames(&window)
        #expect(rest.map(\.id) == [4])
    }

    @Test("a window refuses the acknowledgement of what was sent but never written, and ignores an older one")
    func acknowledgements() throws {
        var window = try window(of: 3)
        _ = frames(&window, count: 1)
        let early = failure { () throws(SessionFailure) in try window.acknowledge(2) }
        #expect(early?.code == .stateLost)
        _ = frames(&window, count: 1)
        try window.acknowledge(2)
        try window.acknowledge(1)
        try window.acknowledge(0)
        #expect(window.count == 1 && window.acknowledged == 2)
    }

    @Test("a window has room up to its number of messages or bytes, and a reserve for those who cannot wait")
    func room() throws {
        let reserve = SessionWindow(messages: 2, bytes: 100)
        var byCount = try window(of: 4) {
            $0.window.messages = 4
            $0.reserve = reserve
        }
        #expect(!byCount.hasRoom)
        try byCount.append([], ack: 0, at: 0)
        try byCount.append([], ack: 0, at: 0)
        let full = failure { () throws(SessionFailure) in try byCount.append([], ack: 0, at: 0) }
        #expect(full?.code == .limit)

        var byBytes = try window(of: 1) {
            $0.window.bytes = 15
            $0.reserve = reserve
        }
        #expect(byBytes.hasRoom)
        try byBytes.append([], ack: 0, at: 0)
        #expect(!byBytes.hasRoom && byBytes.byteCount == 27)
    }

    @Test("a window keeps nothing of the many messages that came and went")
    func manyMessages() throws {
        var window = try window(of: 0)
        for id in UInt32(1)...1_000_000 {
            try window.append([1, 2, 3], ack: 0, at: 0)
            _ = window.next()
            if id % 7 == 0 {
                try window.acknowledge(id - 3)
            }
        }
        #expect(window.count < 10 && window.byteCount == window.count * 16)
    }

    // MARK: - The sequence

    @Test("a sequence takes each message once, and knows what is missing")
    func sequence() throws {
        var incoming = IncomingSequence(isStrict: true)
        let first = try verdicts(&incoming, 1, 1, 3, 2)
        #expect(first == [.next, .duplicate, .missing, .next])
        #expect(incoming.isIncomplete)
        let second = try verdicts(&incoming, 3)
        #expect(second == [.next])
        #expect(!incoming.isIncomplete && incoming.lastID == 3)
        let declined = try verdicts(&incoming, 4, isTaken: false)
        #expect(declined == [.missing])
        #expect(incoming.lastID == 3 && incoming.isIncomplete)
    }

    @Test("a strict sequence notices that a replay starts behind what is missing, a lenient one does not")
    func lateReplay() throws {
        var strict = IncomingSequence(isStrict: true)
        let first = try verdicts(&strict, 1, 4, 5)
        #expect(first == [.next, .missing, .missing])
        let late = failure { () throws(SessionFailure) in _ = try strict.judge(3, isTaken: true) }
        #expect(late?.description == "state-lost: message 2 is missing, and the replay starts with 3")

        var again = IncomingSequence(isStrict: true)
        _ = try verdicts(&again, 1)
        again.startConnection()
        let gap = failure { () throws(SessionFailure) in _ = try again.judge(3, isTaken: true) }
        #expect(gap?.code == .stateLost)

        var lenient = IncomingSequence(isStrict: false)
        let odd = try verdicts(&lenient, 4, 3, 0)
        #expect(odd == [.missing, .missing, .duplicate])
    }

    // MARK: - Timers

    @Test("an acknowledgement is due two seconds after the last message, and five after the first")
    func acknowledgementTimer() {
        var timer = AcknowledgementTimer(settings: SessionSettings())
        #expect(timer.dueAt == .max)
        timer.accepted(at: second)
        #expect(timer.dueAt == 3 * second)
        timer.accepted(at: 2 * second)
        #expect(timer.dueAt == 4 * second)
        timer.accepted(at: 5 * second)
        #expect(timer.dueAt == 6 * second)
        timer.acknowledged()
        #expect(timer.dueAt == .max)
    }

    @Test("an early acknowledgement is due for so many messages or bytes since the last that was written")
    func earlyAcknowledgement() {
        var settings = SessionSettings()
        var never = EarlyAcknowledgement(settings: settings)
        let none = (1...1_000).map { never.accepted($0, byteCount: 1 << 20) }
        #expect(!none.contains(true))
        settings.acknowledgesEarlyAt = SessionWindow(messages: 3, bytes: 1_000)
        var early = EarlyAcknowledgement(settings: settings)
        let byCount = (1...4).map { early.accepted($0, byteCount: 1) }
        #expect(byCount == [false, false, true, true])
        early.wrote(ack: 2, of: 4)
        let afterOlder = early.accepted(5, byteCount: 1)
        #expect(afterOlder)
        early.wrote(ack: 5, of: 5)
        let byBytes = [6, 7].map { early.accepted($0, byteCount: 600) }
        #expect(byBytes == [false, true])
    }

    @Test("keep-alives are due at an interval that does not shift, and are not made up for")
    func keepAlive() {
        var timer = KeepAliveTimer(settings: SessionSettings(), at: second)
        let late = 6 * second + 100
        let taken = [5 * second, late, late, 11 * second, 100 * second].map { timer.take(at: $0) }
        #expect(taken == [false, true, false, true, true])
        #expect(timer.dueAt == 105 * second)
        let never = KeepAliveTimer(settings: SessionSettings(keepAlive: nil), at: 0)
        #expect(never.dueAt == .max)
    }

    @Test("an action is done at most once in its spacing, and a wish waits")
    func spacedAction() {
        var action = SpacedAction(spacing: 10)
        let unwanted = action.take(at: 5)
        action.want()
        let wanted = [5, 50].map { action.take(at: $0) }
        #expect(!unwanted && wanted == [true, false])
        action.want()
        let early = action.take(at: 14)
        #expect(!early && action.dueAt == 15)
        action.postpone(at: 12)
        let postponed = [21, 22].map { action.take(at: $0) }
        #expect(postponed == [false, true])
        action.want()
        action.reset()
        action.want()
        let reset = action.take(at: 23)
        #expect(reset)
    }

    // MARK: - Liveness

    @Test("a peer is dead when nothing came for twenty seconds while something was unacknowledged")
    func silence() {
        var liveness = Liveness(settings: SessionSettings(), at: 0)
        #expect(liveness.timesOutAt(oldest: nil) == .max)
        #expect(liveness.timesOutAt(oldest: 3 * second) == 23 * second)
        liveness.heard(at: 5 * second)
        #expect(liveness.timesOutAt(oldest: 3 * second) == 25 * second)
        let silences = [25 * second - 1, 25 * second].map { liveness.silence(oldest: 3 * second, at: $0) }
        #expect(silences == [nil, 20 * second])
        #expect(liveness.timesOutAt(oldest: 3 * second) == 45 * second)
    }

    @Test("a peer is not dead because we were stopped, nor because we do not read")
    func stopped() {
        var liveness = Liveness(settings: SessionSettings(), at: 0)
        liveness.called(at: 40 * second, promised: 5 * second)
        let silence = liveness.silence(oldest: 0, at: 40 * second)
        #expect(silence == nil)
        #expect(liveness.timesOutAt(oldest: 0) == 46 * second)
        liveness.called(at: 45 * second + second / 2, promised: 45 * second)
        #expect(liveness.timesOutAt(oldest: 0) == 46 * second)
        liveness.listen(false, at: 45 * second)
        let unread = liveness.silence(oldest: 0, at: 90 * second)
        #expect(unread == nil)
        liveness.listen(true, at: 90 * second)
        #expect(liveness.timesOutAt(oldest: 0) == 110 * second)
        liveness.listen(false, at: 91 * second)
        liveness.start(at: 92 * second)
        #expect(liveness.timesOutAt(oldest: 0) == 112 * second)
    }

    // MARK: - Control frames

    @Test("frames that are not messages keep their place among the messages")
    func controls() {
        var queue = ControlQueue()
        queue.append(Frame(type: .control), after: 2)
        queue.append(Frame(type: .pause), after: 2)
        let types = [1, 2, 2, 2].map { queue.next(written: $0)?.type }
        #expect(types == [nil, .control, .pause, nil])
    }
}
