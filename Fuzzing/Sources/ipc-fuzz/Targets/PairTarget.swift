// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Two persistent sessions and connections that are cut anywhere: each message arrives once and in order, and in the end all
/// have.
struct PairTarget {
    private var ends: [PersistentSession]
    /// Bytes on their way from each end.
    private var pipes: [[UInt8]] = [[], []]
    private var sent: [UInt32] = [0, 0]
    private var received: [UInt32] = [0, 0]
    private var cuts = 0
    private var commands = 0
    private var advances = 0
    private var isConnected = true
    private var now: UInt64 = 1_000

    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        var pair = PairTarget(reader.byte())
        for _ in 0..<400 where !reader.isAtEnd { pair.step(&reader) }
        pair.finish()
    }

    private init(_ choice: Int) {
        let settings = SessionSettings(
            mode: choice & 1 == 0 ? .strict : .lenient,
            limits: IPCLimits(frameBytes: 300),
            window: SessionWindow(messages: 24, bytes: 3_000),
            reserve: SessionWindow(messages: 4, bytes: 300),
            acknowledgesEarlyAt: choice & 2 == 0 ? nil : SessionWindow(messages: 6, bytes: 750),
            keepAlive: choice & 4 == 0 ? 5_000_000_000 : nil
        )
        let session = PersistentSession(settings: settings, at: now)
        ends = [session, session]
    }

    private mutating func step(_ input: inout InputReader) {
        let choice = input.byte()
        let end = choice & 1
        let amount = choice >> 4
        switch choice >> 1 & 7 {
        case 0, 1: send(end, count: amount)
        case 2: flush(end, upTo: 20 << amount)
        case 3, 4: deliver(from: end, count: 1 << amount)
        case 5:
            // Each may leave a request for a replay, which counts among what waits (see `command`).
            guard advances < 30 else { return }
            advances += 1
            now += 1 << UInt64(24 + amount)
            for end in 0..<2 { _ = ends[end].advance(to: now) }
        case 6: if amount & 1 == 0 { cut() } else { connect() }
        default: command(end, amount)
        }
    }

    private mutating func command(_ end: Int, _ choice: Int) {
        // What waits for a peer that does not read is bounded; an owner would part with that peer.
        guard commands < 30 else { return }
        commands += 1
        Self.honest { () throws(SessionFailure) in
            switch choice % 6 {
            case 0, 1: ends[end].takeMessages(choice & 1 == 1, at: now)
            case 2: try ends[end].sendPause()
            case 3: try ends[end].sendResume()
            case 4: try ends[end].sendControl(Array("{}".utf8))
            default: ends[end].readConnection(choice > 8, at: now)
            }
        }
    }

    private mutating func send(_ end: Int, count: Int) {
        for _ in 0..<count + 1 where ends[end].canSend {
            sent[end] += 1
            var message = (0..<4).map { UInt8(truncatingIfNeeded: sent[end] >> ($0 * 8)) }
            message += [UInt8](repeating: 1, count: count * 9)
            Self.honest { () throws(SessionFailure) in try ends[end].send(message, at: now) }
        }
    }

    private mutating func flush(_ end: Int, upTo enough: Int) {
        guard isConnected else { return }
        ends[end].appendOutput(to: &pipes[end], upTo: enough, at: now)
    }

    private mutating func deliver(from end: Int, count: Int) {
        let other = 1 - end
        let bytes = Array(pipes[end].prefix(count))
        pipes[end].removeFirst(bytes.count)
        ends[other].append(bytes.span, at: now)
        Self.honest { () throws(SessionFailure) in
            while let event = try ends[other].nextEvent(at: now) {
                guard case .message(let message) = event else { continue }
                received[other] += 1
                // The defect: after the third cut one message is lost.
                if Target.isSpoiled, cuts == 3 { received[other] += 1 }
                let number = message.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                require(number == received[other], "message \(received[other]) is next, not \(number)")
            }
        }
    }

    private mutating func cut() {
        guard isConnected else { return }
        isConnected = false
        cuts += 1
        pipes = [[], []]
        for end in 0..<2 { ends[end].connectionLost() }
    }

    private mutating func connect() {
        guard !isConnected else { return }
        isConnected = true
        for end in 0..<2 {
            ends[end].beginReconnection(at: now)
            ends[end].endReconnection(at: now)
        }
    }

    private static func honest(_ body: () throws(SessionFailure) -> Void) {
        do throws(SessionFailure) { try body() } catch { fatalError("does not hold: an honest pair fails: \(error)") }
    }

    /// The network is good from here on.
    private mutating func finish() {
        cut()
        connect()
        for end in 0..<2 {
            ends[end].takeMessages(true, at: now)
            ends[end].readConnection(true, at: now)
        }
        for _ in 0..<20 {
            now += 3_000_000_000
            for end in 0..<2 {
                _ = ends[end].advance(to: now)
                flush(end, upTo: .max)
                deliver(from: end, count: pipes[end].count)
            }
        }
        require(received == [sent[1], sent[0]], "all messages arrive: \(sent) sent, \(received) received")
        require(ends.allSatisfy { $0.unacknowledgedCount == 0 }, "all messages are acknowledged")
    }
}
