// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// The connection between the two, and how they agree to go on over a new one.
extension LossyPair {
    mutating func write(from side: Int, room: Int) {
        guard ends[side].connection != nil || side == 1 else { return }
        var bytes: [UInt8] = []
        while bytes.count < room, let frame = ends[side].session.nextFrame(at: now) {
            frame.append(to: &bytes)
            counts.replayRequests += frame.type == .replayRequest ? 1 : 0
        }
        carry(bytes, from: side, over: ends[side].connection)
        if side == 1, newcomer != nil {
            var bytes: [UInt8] = []
            newcomer?.appendOutput(to: &bytes, upTo: room, at: now)
            carry(bytes, from: 1, over: live)
        }
    }

    mutating func carry(_ bytes: [UInt8], from side: Int, over connection: Int?) {
        guard !bytes.isEmpty, connection == live, live != nil else { return }
        let delay = UInt64.random(in: 0...300 * SessionStage.millisecond, using: &generator)
        pipes[side].chunks.append((max(now + delay, pipes[side].chunks.last?.arrival ?? 0), bytes))
    }

    /// Lets arrive what has had the time, in pieces of any size.
    mutating func deliver(to side: Int) {
        guard live != nil else { return }
        while let first = pipes[1 - side].chunks.first, first.arrival <= now, problem == nil {
            pipes[1 - side].chunks.removeFirst()
            deliver(first.bytes, to: side)
        }
    }

    mutating func deliver(_ bytes: [UInt8], to side: Int) {
        var position = 0
        while position < bytes.count, problem == nil {
            let end = min(bytes.count, position + .random(in: 1...900, using: &generator))
            receive(bytes.span.extracting(position..<end), at: side)
            position = end
        }
    }

    mutating func receive(_ bytes: Span<UInt8>, at side: Int) {
        if side == 1, newcomer != nil {
            newcomer?.append(bytes, at: now)
            admit()
        } else if ends[side].connection == live {
            ends[side].session.append(bytes, at: now)
            takeEvents(side)
        }
    }

    /// The server reads who a new connection belongs to, gives it to the session and says that it goes on.
    private mutating func admit() {
        trying("admit") { pair throws(SessionFailure) in
            guard let event = try pair.newcomer?.nextEvent(at: pair.now) else { return }
            guard event == .control(Array("connect".utf8)) else {
                return pair.fail("the newcomer said \(event)")
            }
            let unread = pair.newcomer?.takeUnread() ?? []
            pair.newcomer = nil
            pair.ends[1].connection = pair.live
            pair.ends[1].session.beginReconnection(unread: unread, at: pair.now)
            try pair.ends[1].session.sendControl(Array("ok".utf8))
            pair.ends[1].session.endReconnection(at: pair.now)
        }
        takeEvents(1)
    }

    mutating func takeEvents(_ side: Int) {
        trying("receive") { pair throws(SessionFailure) in
            while let event = try pair.ends[side].session.nextEvent(at: pair.now) {
                pair.take(event, side)
            }
        }
    }

    mutating func take(_ event: PersistentSession.Event, _ side: Int) {
        switch event {
        case .message(let body):
            ends[side].received += 1
            if body != Self.body(ends[side].received) {
                fail("message \(ends[side].received) at side \(side) is \(body.prefix(8))")
            }
        case .control(let json):
            guard side == 0, ends[0].isResuming, json == Array("ok".utf8) else {
                return fail("a Control message \(json) at side \(side)")
            }
            ends[0].isResuming = false
            ends[0].session.endReconnection(at: now)
        case .disconnected: fail("disconnected")
        }
    }

    /// The connection ends; of what is on its way some bytes still arrive.
    mutating func cut() {
        guard live != nil else { return }
        counts.cuts += 1
        for side in 0...1 {
            let bytes = pipes[1 - side].chunks.flatMap(\.bytes)
            deliver(Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator))), to: side)
        }
        pipes = [Pipe(), Pipe()]
        live = nil
        newcomer = nil
    }

    /// A side finds that its connection is gone.
    mutating func notice(_ side: Int) {
        guard let connection = ends[side].connection, connection != live else { return }
        lose(side)
    }

    mutating func lose(_ side: Int) {
        ends[side].connection = nil
        ends[side].isResuming = false
        ends[side].session.connectionLost()
    }

    /// The client dials again, also when it is the only one who thinks that it has to.
    mutating func connect() {
        cut()
        counts.connections += 1
        counts.takeOvers += ends[1].connection == nil ? 0 : 1
        connections += 1
        live = connections
        ends[0].connection = live
        ends[0].isResuming = true
        newcomer = PersistentSession(settings: SessionSettings(mode: mode), startsOpen: false, at: now)
        ends[0].session.beginReconnection(at: now)
        trying("connect") { pair throws(SessionFailure) in
            try pair.ends[0].session.sendControl(Array("connect".utf8))
        }
    }
}
