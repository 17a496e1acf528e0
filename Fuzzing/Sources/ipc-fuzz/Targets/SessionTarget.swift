// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// A persistent session in the hands of a hostile peer, a clumsy owner and a strange clock: it keeps to its bounds.
struct SessionTarget {
    private static let window = SessionWindow(messages: 8, bytes: 600)
    private static let reserve = SessionWindow(messages: 2, bytes: 100)

    private var session: PersistentSession
    private let isStrict: Bool
    private var now: UInt64 = 1_000
    private var delivered: UInt32 = 0
    private var largest = 0

    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        var stage = SessionTarget(reader.byte())
        for _ in 0..<300 where !reader.isAtEnd {
            stage.step(&reader)
            stage.check()
        }
    }

    private init(_ choice: Int) {
        isStrict = choice & 1 == 0
        var settings = SessionSettings(
            mode: isStrict ? .strict : .lenient,
            limits: IPCLimits(frameBytes: 200),
            window: Self.window,
            reserve: Self.reserve,
            acknowledgesEarlyAt: choice & 2 == 0 ? nil : Self.window.quarter,
            keepAlive: choice & 4 == 0 ? 5_000_000_000 : nil
        )
        settings.controlBytes = 64
        settings.acceptsPause = choice & 8 == 0
        if choice & 16 != 0 { settings.highestID = 20 }
        session = PersistentSession(settings: settings, startsOpen: choice & 32 == 0, at: now)
    }

    private mutating func step(_ input: inout InputReader) {
        let choice = input.byte()
        switch choice % 16 {
        case 0...5: receive(frame(choice / 16, &input).encoded())
        case 6: receive(input.piece())
        case 7, 8:
            let message = [UInt8](repeating: 7, count: choice / 2)
            largest = max(largest, message.count + FrameHeader.byteCount)
            try? session.send(message, at: now)
        case 9:
            now &+= 1 << UInt64(min(choice / 4, 40))
            _ = session.advance(to: now)
        case 10:
            // As whoever keeps the time would do.
            if session.nextDeadline < now + 1 << 40 { now = max(now, session.nextDeadline) }
            _ = session.advance(to: now)
        case 11: write(frames: choice / 16 + 1)
        case 12: session.connectionLost()
        case 13:
            session.beginReconnection(unread: choice & 32 == 0 ? [] : input.piece(), at: now)
            drain()
        case 14:
            session.endReconnection(at: now)
            session.open(at: now)
        default: command(choice / 16)
        }
    }

    private mutating func command(_ choice: Int) {
        switch choice % 6 {
        case 0: session.takeMessages(choice < 6, at: now)
        case 1: session.readConnection(choice < 6, at: now)
        case 2: try? session.sendControl(Array("{}".utf8))
        case 3: try? session.sendPause()
        case 4: try? session.sendResume()
        default: if choice > 6 { session.sendDisconnect() }
        }
    }

    /// A frame that fits, nearly.
    private func frame(_ choice: Int, _ input: inout InputReader) -> Frame {
        let odd = input.byte()
        let type: UInt8 = choice < 8 ? 1 : UInt8(choice - 6)
        let next = session.lastReceivedID &+ 1
        let id = type != 1 ? 0 : odd < 200 ? next : next &+ UInt32(odd & 7) &- 4
        let ack = odd & 7 == 7 ? input.number() : min(session.lastSentID, UInt32(input.byte()))
        let body = type == 1 || type == 2 ? input.take(odd % 50) : []
        return Frame(type: FrameType(rawValue: type), id: id, ack: ack, body: body)
    }

    private mutating func receive(_ bytes: [UInt8]) {
        session.append(bytes.span, at: now)
        drain()
    }

    private mutating func drain() {
        do {
            while let event = try session.nextEvent(at: now) {
                guard case .message = event else { continue }
                delivered += 1
                // The defect: a message that comes when the window is full is handed out twice.
                if Target.isSpoiled, !session.canSend { delivered += 1 }
            }
            require(session.failure == nil, "a session that has failed says so")
            require(
                session.bufferedByteCount < 200 + 13 + 1 || session.link == .detached
                    || session.readsNoMore,
                "no more is kept than a frame"
            )
        } catch {
            require(session.failure == error, "the failure stays what it is")
            require(session.unacknowledgedCount == 0, "a session that has failed lets go of what it holds")
        }
    }

    private mutating func write(frames: Int) {
        for _ in 0..<frames {
            let mustWrite = session.hasOutput
            guard let frame = session.nextFrame(at: now) else {
                require(!mustWrite, "what is there to write can be written")
                return
            }
            require(frame.ack <= session.lastReceivedID, "nothing is acknowledged that has not come")
            require(frame.id <= session.lastSentID, "nothing is written that was not sent")
            require((frame.type == .regular) == (frame.id > 0), "messages have numbers, and nothing else has")
            require(session.link != .detached && !session.isPaused, "nothing is written where nothing may be")
        }
    }

    private func check() {
        require(delivered == session.lastReceivedID, "each message is handed out once")
        require(session.unacknowledgedCount <= Self.window.messages + Self.reserve.messages, "the window holds")
        let bytes = Self.window.bytes + Self.reserve.bytes + largest
        require(session.unacknowledgedByteCount <= bytes, "the window holds, in bytes")
        require((session.unacknowledgedCount == 0) == (session.unacknowledgedByteCount == 0), "counts agree")
    }
}

extension PersistentSession {
    /// Whether nothing is read any more, because the peer has said that it is over.
    fileprivate var readsNoMore: Bool { isDisconnectedByPeer }
}
