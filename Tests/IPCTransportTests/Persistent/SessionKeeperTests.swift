// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

@testable import IPCTransport

@Suite("What a client decides to keep its session")
struct SessionKeeperTests {
    private typealias Action = SessionKeeper.Action

    private static let second: UInt64 = 1_000_000_000
    private static let loss = ConnectionEnd(.lost, "gone")

    private static func keeper(_ names: [String] = ["a"]) -> SessionKeeper {
        SessionKeeper(names: names, options: ReconnectionOptions(backOff: BackOff(first: .seconds(1), jitter: 0)))
    }

    /// One that has a session since the time 0.
    private static func established(_ names: [String] = ["a"], graceTime: Int = 300) -> SessionKeeper {
        var keeper = keeper(names)
        _ = keeper.start()
        _ = keeper.connected(at: 0)
        _ = keeper.received(.ok(token: "t", graceTime: graceTime), at: 0, chance: 0)
        return keeper
    }

    private static func reconnecting(_ attempt: Int, _ wait: Duration, _ reason: String = "gone") -> Action {
        .report(.reconnecting(attempt: attempt, nextAttemptIn: wait, reason: reason))
    }

    @Test("opens a session")
    func opening() {
        var keeper = Self.keeper()
        #expect(keeper.start() == [.dial(0)])
        #expect(keeper.connected(at: 5) == [.send(.connect(token: nil))])
        #expect(keeper.hasSession == false)
        let actions = keeper.received(.ok(token: "t", graceTime: 300), at: 9, chance: 0)
        #expect(actions == [.open, .report(.connected)])
        #expect(keeper.roundTripTime == 4)
        #expect(keeper.nextDeadline == .max)
    }

    @Test("tries each address once to open one, and ends with what the last one says")
    func openingElsewhere() {
        var keeper = Self.keeper(["a", "b", "c"])
        _ = keeper.start()
        #expect(keeper.lost(Self.loss, at: 0, chance: 0) == [.dial(1)])
        _ = keeper.connected(at: 0)
        #expect(keeper.received(.error(.draining, reason: "soon"), at: 0, chance: 0) == [.hangUp, .dial(2)])
        #expect(keeper.lost(Self.loss, at: 0, chance: 0) == [.end(Self.loss)])
    }

    @Test("ends at the first refusal that is meant for good")
    func refusedOpening() {
        var keeper = Self.keeper(["a", "b"])
        _ = keeper.start()
        _ = keeper.connected(at: 0)
        let actions = keeper.received(.error(.notAllowed, reason: "no"), at: 0, chance: 0)
        #expect(actions == [.hangUp, .end(ConnectionEnd(.refused, "a: no (not-allowed)"))])
    }

    @Test("dials at once after a loss, and goes on")
    func resuming() {
        var keeper = Self.established()
        let now = 3 * Self.second
        #expect(
            keeper.lost(Self.loss, hasProgressed: true, at: now, chance: 0) == [Self.reconnecting(1, .zero), .dial(0)]
        )
        #expect(keeper.connected(at: now) == [.send(.connect(token: "t"))])
        let actions = keeper.received(.ok(token: "u", graceTime: 300), at: now, chance: 0)
        #expect(actions == [.resume, .report(.reconnected(attempts: 1))])
        #expect(keeper.reconnections == 1)
        _ = keeper.lost(Self.loss, hasProgressed: true, at: now + SessionKeeper.shortTime, chance: 0)
        #expect(keeper.connected(at: now + SessionKeeper.shortTime) == [.send(.connect(token: "u"))])
    }

    @Test("waits longer and longer between attempts, and not at all again when a connection was of use")
    func waits() {
        var keeper = Self.established()
        var now = Self.second
        _ = keeper.lost(Self.loss, hasProgressed: true, at: now, chance: 0)
        for (number, seconds) in [1, 2, 4, 8, 16, 30, 30].enumerated() {
            #expect(keeper.lost(Self.loss, at: now, chance: 0) == [Self.reconnecting(number + 2, .seconds(seconds))])
            #expect(keeper.advance(to: now + UInt64(seconds) * Self.second - 1, chance: 0) == [])
            now += UInt64(seconds) * Self.second
            #expect(keeper.nextDeadline == now)
            #expect(keeper.advance(to: now, chance: 0) == [.dial(0)])
        }
        _ = keeper.connected(at: now)
        _ = keeper.received(.ok(token: "t", graceTime: 300), at: now, chance: 0)
        let actions = keeper.lost(Self.loss, hasProgressed: true, at: now + SessionKeeper.shortTime, chance: 0)
        #expect(actions == [Self.reconnecting(1, .zero), .dial(0)])
    }

    @Test("waits before it comes back over a connection that is cut behind its first message, always")
    func cutAgainAndAgain() {
        var keeper = Self.established()
        var waits: [Duration] = []
        var now: UInt64 = 0
        for _ in 0..<4 {
            for action in keeper.lost(Self.loss, hasProgressed: true, at: now, chance: 0) {
                if case .report(.reconnecting(_, let wait, _)) = action { waits.append(wait) }
            }
            now += Self.second
            _ = keeper.advance(to: now, chance: 0)
            _ = keeper.connected(at: now)
            _ = keeper.received(.ok(token: "t", graceTime: 300), at: now, chance: 0)
        }
        #expect(waits == [.zero, .seconds(1), .seconds(1), .seconds(1)])
    }

    @Test("waits before it comes back over a connection that breaks at once, always")
    func flapping() {
        var keeper = Self.established()
        var now = Self.second
        var waits: [Duration] = []
        for _ in 0..<5 {
            for action in keeper.lost(Self.loss, at: now, chance: 0) {
                if case .report(.reconnecting(_, let wait, _)) = action { waits.append(wait) }
            }
            now = max(now, keeper.nextDeadline == .max ? now : min(keeper.nextDeadline, now + 30 * Self.second))
            _ = keeper.advance(to: now, chance: 0)
            _ = keeper.connected(at: now)
            _ = keeper.received(.ok(token: "t", graceTime: 300), at: now, chance: 0)
        }
        #expect(waits == [.zero, .seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        now += SessionKeeper.stableTime
        #expect(keeper.lost(Self.loss, at: now, chance: 0) == [Self.reconnecting(1, .zero), .dial(0)])
    }

    @Test("tries the other addresses in turn, the one that has the session first")
    func turns() {
        var keeper = Self.established(["a", "b", "c"])
        var dialled: [Action] = []
        dialled += keeper.lost(Self.loss, hasProgressed: true, at: 0, chance: 0)
        dialled += keeper.lost(Self.loss, at: 0, chance: 0)
        dialled += keeper.lost(Self.loss, at: 0, chance: 0)
        #expect(keeper.lost(Self.loss, at: 0, chance: 0) == [Self.reconnecting(4, .seconds(1))])
        dialled += keeper.advance(to: Self.second, chance: 0)
        dialled += keeper.lost(Self.loss, at: Self.second, chance: 0)
        _ = keeper.connected(at: Self.second)
        // It is at the second address now.
        _ = keeper.received(.ok(token: "t", graceTime: 300), at: Self.second, chance: 0)
        dialled += keeper.lost(Self.loss, hasProgressed: true, at: 2 * Self.second, chance: 0)
        let numbers = dialled.compactMap { action in if case .dial(let number) = action { number } else { nil } }
        #expect(numbers == [0, 1, 2, 0, 1, 1])
    }

    @Test(
        "ends for good when the address that has the session says so",
        arguments: [
            "unsupported-version", "malformed", "not-allowed", "unknown-session", "session-expired", "not-yours",
            "state-lost", "revoked", "sequence-exhausted", "limit", "draining", "upstream-unavailable", "something-new",
        ]
    )
    func permanent(code: String) {
        var keeper = Self.established()
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        _ = keeper.connected(at: 0)
        let refusal = SessionControl.error(SessionCode(rawValue: code), reason: "why")
        let actions = keeper.received(refusal, at: 0, chance: 0)
        #expect(actions == [.hangUp, .end(ConnectionEnd(.refused, "a: why (\(code))"))])
        #expect(keeper.nextDeadline == .max)
        var running = Self.established()
        #expect(running.received(refusal, at: 0, chance: 0) == actions)
    }

    @Test("asks another address again that says: not now", arguments: ["limit", "draining", "upstream-unavailable"])
    func temporary(code: String) {
        var keeper = Self.established(["a", "b"])
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        #expect(keeper.lost(Self.loss, at: 0, chance: 0).last == .dial(1))
        _ = keeper.connected(at: 0)
        let refusal = SessionControl.error(SessionCode(rawValue: code), reason: "")
        let reason = "b: the server refuses the session (\(code))"
        let actions = keeper.received(refusal, at: 0, chance: 0)
        #expect(actions == [.hangUp, Self.reconnecting(3, .seconds(1), reason)])
        #expect(keeper.advance(to: Self.second, chance: 0) == [.dial(0)])
        #expect(keeper.lost(Self.loss, at: Self.second, chance: 0).last == .dial(1))
    }

    @Test("does not believe another address that it does not know the session, and does not ask it again")
    func strangers() {
        var keeper = Self.established(["a", "b"])
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        #expect(keeper.lost(Self.loss, at: 0, chance: 0).last == .dial(1))
        _ = keeper.connected(at: 0)
        let reason = "b: who? (unknown-session)"
        let actions = keeper.received(.error(.unknownSession, reason: "who?"), at: 0, chance: 0)
        #expect(actions == [.hangUp, Self.reconnecting(3, .seconds(1), reason)])
        #expect(keeper.advance(to: Self.second, chance: 0) == [.dial(0)])
        // The next one would be its turn.
        #expect(keeper.lost(Self.loss, at: Self.second, chance: 0) == [Self.reconnecting(4, .seconds(2))])
        #expect(keeper.advance(to: 3 * Self.second, chance: 0) == [.dial(0)])
    }

    @Test("gives up when the grace time is over, whatever it is doing")
    func grace() {
        let end = ConnectionEnd(.lost, "no connection for 10 s, for which the server keeps the session: gone")
        var dialling = Self.established(graceTime: 10)
        _ = dialling.lost(Self.loss, at: Self.second, chance: 0)
        #expect(dialling.nextDeadline == 11 * Self.second)
        var asking = dialling
        var waiting = dialling
        #expect(dialling.advance(to: 11 * Self.second, chance: 0) == [.hangUp, .end(end)])
        _ = asking.connected(at: 3 * Self.second)
        #expect(asking.advance(to: 11 * Self.second, chance: 0) == [.abort, .end(end)])
        _ = waiting.lost(Self.loss, at: 2 * Self.second, chance: 0)
        #expect(waiting.advance(to: 11 * Self.second, chance: 0) == [.hangUp, .end(end)])
        var none = Self.established(graceTime: 0)
        #expect(none.lost(Self.loss, at: 0, chance: 0).count == 1)
    }

    @Test("does not wait for an answer for ever")
    func noAnswer() {
        var keeper = Self.established()
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        _ = keeper.connected(at: 0)
        #expect(keeper.nextDeadline == 10 * Self.second)
        let reason = "a: no answer to 'connect' within 10.0 s"
        let actions = keeper.advance(to: 10 * Self.second, chance: 0)
        #expect(actions == [.abort, Self.reconnecting(2, .seconds(1), reason)])
    }

    @Test("passes on that the server wants to be left, and goes on")
    func goAway() {
        var keeper = Self.established()
        #expect(keeper.received(.goAway(reason: "r"), at: 0, chance: 0) == [.report(.goingAway(reason: "r"))])
        // Once is enough.
        #expect(keeper.received(.goAway(reason: "s"), at: 0, chance: 0) == [])
        #expect(keeper.lost(Self.loss, hasProgressed: true, at: 0, chance: 0).last == .dial(0))
    }

    @Test("does nothing any more when it was stopped")
    func stopped() {
        var keeper = Self.established()
        keeper.stop()
        #expect(keeper.lost(Self.loss, at: 0, chance: 0) == [])
        #expect(keeper.connected(at: 0) == [.hangUp])
        #expect(keeper.advance(to: .max, chance: 0) == [])
    }
}
