// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// Two sessions, a client and a server, and connections between them that are slow, end anywhere, and are noticed to have
/// ended late or never. Everything follows from the seed.
struct LossyPair {
    /// What happened, to see that something was tested.
    struct Counts {
        var cuts = 0
        var takeOvers = 0
        var connections = 0
        var replayRequests = 0
        var timeOuts = 0
        var pauses = 0
        var fullWindows = 0
        var messages = 0

        static func += (left: inout Counts, right: Counts) {
            left.cuts += right.cuts
            left.takeOvers += right.takeOvers
            left.connections += right.connections
            left.replayRequests += right.replayRequests
            left.timeOuts += right.timeOuts
            left.pauses += right.pauses
            left.fullWindows += right.fullWindows
            left.messages += right.messages
        }
    }

    /// Bytes on their way.
    struct Pipe {
        var chunks: [(arrival: UInt64, bytes: [UInt8])] = []
        var byteCount: Int { chunks.reduce(0) { $0 + $1.bytes.count } }
    }

    /// One side.
    struct End {
        var session: PersistentSession
        /// The connection it believes to have.
        var connection: Int?
        var sent: UInt32 = 0
        var received: UInt32 = 0
        /// The client has asked to go on and waits for the answer.
        var isResuming = false
    }

    static let frameBytes = 600
    static let window = SessionWindow(messages: 24, bytes: 6_000)

    let mode: SessionSettings.Mode
    var generator: SeededGenerator
    var now: UInt64 = 5_000
    /// The client and the server.
    var ends: [End]
    /// From the client and from the server, over the connection that is there.
    var pipes = [Pipe(), Pipe()]
    /// The number of the connection that is there; nil when there is none.
    var live: Int? = 0
    var connections = 0
    /// At the server, the new connection before it has said whose it is.
    var newcomer: PersistentSession?
    var counts = Counts()
    /// The first thing that was wrong.
    var problem: String?

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        mode = Bool.random(using: &generator) ? .strict : .lenient
        var settings = SessionSettings(
            mode: mode,
            limits: IPCLimits(frameBytes: Self.frameBytes),
            window: Self.window,
            reserve: SessionWindow(messages: 1, bytes: 1),
            keepAlive: Bool.random(using: &generator) ? 5 * SessionStage.second : nil
        )
        let isEarly = Bool.random(using: &generator)
        settings.acknowledgesEarlyAt = isEarly ? Self.window.quarter : nil
        let session = PersistentSession(settings: settings, at: now)
        ends = [End(session: session, connection: 0), End(session: session, connection: 0)]
    }

    /// Plays a random schedule, then lets everything arrive.
    mutating func run(steps: Int) {
        for _ in 0..<steps where problem == nil {
            step()
            checkBounds()
        }
        settle()
    }

    private mutating func step() {
        let side = Int.random(in: 0...1, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<22: send(from: side, count: .random(in: 1...12, using: &generator))
        case 22..<46: write(from: side, room: .random(in: 0...2_500, using: &generator))
        case 46..<70: deliver(to: side)
        case 70..<84: pass(.random(in: 0...SessionStage.second, using: &generator))
        case 84..<87: pass(.random(in: 0...30 * SessionStage.second, using: &generator))
        case 87: cut()
        case 88..<91: notice(side)
        case 91..<96 where live == nil || Int.random(in: 0..<20, using: &generator) == 0: connect()
        case 91..<96: break
        case 96..<98: pause(side)
        default: take(side)
        }
    }

    // MARK: - What the application does

    /// The body of a message: its number, and as many bytes more as follow from that.
    static func body(_ number: UInt32) -> [UInt8] {
        let size = Int(number &* 2_654_435_761 >> 8) % (number % 16 == 0 ? 590 : 60)
        return (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } + Array(repeating: 7, count: size)
    }

    private mutating func send(from side: Int, count: Int) {
        for _ in 0..<count {
            guard ends[side].session.canSend else {
                counts.fullWindows += 1
                return
            }
            ends[side].sent += 1
            let body = Self.body(ends[side].sent)
            trying("send") { pair throws(SessionFailure) in try pair.ends[side].session.send(body, at: pair.now) }
        }
    }

    private mutating func pause(_ side: Int) {
        let pauses = Bool.random(using: &generator)
        counts.pauses += pauses ? 1 : 0
        trying("pause") { pair throws(SessionFailure) in
            guard pair.ends[side].session.link == .open else { return }
            if pauses {
                try pair.ends[side].session.sendPause()
            } else {
                try pair.ends[side].session.sendResume()
            }
        }
    }

    private mutating func take(_ side: Int) {
        ends[side].session.takeMessages(.random(using: &generator), at: now)
    }

    // MARK: - Time

    private mutating func pass(_ duration: UInt64) {
        let end = now + duration
        // Now and then nobody runs for a while.
        let isStopped = Int.random(in: 0..<20, using: &generator) == 0
        while !isStopped, problem == nil {
            let next = ends.map(\.session.nextDeadline).min() ?? .max
            guard next <= end else { break }
            guard next >= now || ends.contains(where: { $0.session.nextDeadline < now }) else { break }
            now = max(now, next)
            advance()
            if ends.contains(where: { $0.session.nextDeadline <= now }) {
                return fail("a deadline is still due after it was met")
            }
        }
        now = end
        advance()
    }

    private mutating func advance() {
        for side in 0...1 {
            guard let timeOut = ends[side].session.advance(to: now) else { continue }
            counts.timeOuts += 1
            if timeOut.silence < 20 * SessionStage.second || timeOut.oldestAge < 20 * SessionStage.second {
                fail("too early: \(timeOut)")
            }
            lose(side)
        }
    }

    // MARK: - What has to hold

    private mutating func checkBounds() {
        for side in 0...1 {
            let session = ends[side].session
            let allowed = Self.window.bytes + FrameHeader.byteCount + Self.frameBytes
            if session.unacknowledgedByteCount > allowed || session.unacknowledgedCount > Self.window.messages {
                fail("\(session.unacknowledgedCount) messages are kept, \(session.unacknowledgedByteCount) bytes")
            }
            if session.bufferedByteCount > FrameHeader.byteCount + Self.frameBytes {
                fail("\(session.bufferedByteCount) bytes are buffered")
            }
            if ends[side].received > ends[1 - side].sent {
                fail("more was received than sent")
            }
        }
    }

    /// Lets everything arrive: there is a connection, nobody pauses, everybody takes.
    private mutating func settle() {
        for round in 0..<400 where problem == nil {
            if live == nil || ends.contains(where: { $0.connection != live && newcomer == nil }) {
                connect()
            }
            for side in 0...1 {
                ends[side].session.takeMessages(true, at: now)
                if round == 0 || ends[1 - side].session.isPaused {
                    trying("resume") { pair throws(SessionFailure) in try pair.ends[side].session.sendResume() }
                }
                write(from: side, room: .max)
            }
            pass(300 * SessionStage.millisecond)
            deliver(to: 0)
            deliver(to: 1)
            if isSettled { break }
        }
        counts.messages += Int(ends[0].received + ends[1].received)
        if problem == nil, !isSettled {
            let links = ends.map { "\($0.session.link) \($0.sent) sent, \($0.received) received" }
            fail("not everything arrived: \(links)")
        }
    }

    private var isSettled: Bool {
        ends[0].received == ends[1].sent && ends[1].received == ends[0].sent
            && ends.allSatisfy { $0.session.unacknowledgedCount == 0 && $0.session.unacknowledgedByteCount == 0 }
    }

    mutating func trying(_ what: String, _ body: (inout LossyPair) throws(SessionFailure) -> Void) {
        do throws(SessionFailure) {
            try body(&self)
        } catch {
            fail("\(what): \(error)")
        }
    }

    mutating func fail(_ text: String) {
        problem = problem ?? text
    }
}
