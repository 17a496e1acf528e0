// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

@testable import IPCTransport

@Suite("What a client decides when the server says that its session is another's, or unknown")
struct SessionKeeperTakeoverTests {
    private static let second: UInt64 = 1_000_000_000
    private static let loss = ConnectionEnd(.lost, "gone")
    private static let taken = SessionControl.error(.takenOver, reason: "why")
    private static let unknown = SessionControl.error(.unknownSession, reason: "who?")
    private static let takenEnd = ConnectionEnd(.refused, "a: why (taken-over)")

    private static func established(_ names: [String] = ["a"]) -> SessionKeeper {
        let backOff = BackOff(first: .seconds(1), jitter: 0)
        var keeper = SessionKeeper(names: names, options: ReconnectionOptions(backOff: backOff))
        _ = keeper.start()
        _ = keeper.connected(at: 0)
        _ = keeper.received(.ok(token: "t", graceTime: 300), at: 0, chance: 0)
        return keeper
    }

    /// It is lost and goes on at this time.
    private static func resume(_ keeper: inout SessionKeeper, at now: UInt64) {
        _ = keeper.lost(loss, hasProgressed: true, at: now, chance: 0)
        _ = keeper.connected(at: now)
        _ = keeper.received(.ok(token: "t", graceTime: 300), at: now, chance: 0)
    }

    private static func reconnecting(_ attempt: Int, _ wait: Duration, _ reason: String) -> SessionKeeper.Action {
        .report(.reconnecting(attempt: attempt, nextAttemptIn: wait, reason: reason))
    }

    @Test(
        "takes back a session that its own late connection may have taken, after a wait, and once",
        arguments: [1, 2]
    )
    func takenOver(addresses: Int) {
        var keeper = Self.established(Array(["a", "b"].prefix(addresses)))
        Self.resume(&keeper, at: 100 * Self.second)
        let first = keeper.received(Self.taken, at: 101 * Self.second, chance: 0)
        #expect(first == [.hangUp, Self.reconnecting(1, .seconds(1), Self.takenEnd.reason)])
        #expect(keeper.advance(to: 102 * Self.second, chance: 0) == [.dial(0)])
        #expect(keeper.connected(at: 102 * Self.second) == [.send(.connect(token: "t"))])
        _ = keeper.received(.ok(token: "t", graceTime: 300), at: 102 * Self.second, chance: 0)
        let second = keeper.received(Self.taken, at: 160 * Self.second, chance: 0)
        #expect(second == [.hangUp, .end(Self.takenEnd)])
    }

    @Test("takes it back again when the last time was a minute ago")
    func muchLater() {
        var keeper = Self.established()
        for now in [UInt64(100), 161] {
            Self.resume(&keeper, at: now * Self.second)
            #expect(keeper.received(Self.taken, at: now * Self.second, chance: 0).count == 2)
            #expect(keeper.advance(to: (now + 1) * Self.second, chance: 0) == [.dial(0)])
            _ = keeper.connected(at: (now + 1) * Self.second)
            _ = keeper.received(.ok(token: "t", graceTime: 300), at: (now + 1) * Self.second, chance: 0)
        }
        #expect(keeper.nextDeadline == .max)
    }

    @Test("gives up a session that nobody but a stranger can have taken")
    func stranger() {
        var fresh = Self.established()
        #expect(fresh.received(Self.taken, at: 0, chance: 0) == [.hangUp, .end(Self.takenEnd)])
        var stable = Self.established()
        Self.resume(&stable, at: Self.second)
        #expect(stable.received(Self.taken, at: 61 * Self.second, chance: 0) == [.hangUp, .end(Self.takenEnd)])
    }

    @Test("puts another session in the place of one in which nothing was heard, when the server does not know it")
    func anew() {
        var keeper = Self.established()
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        _ = keeper.connected(at: 0)
        let actions = keeper.received(Self.unknown, isUnheard: true, at: 0, chance: 0)
        #expect(actions == [.hangUp, Self.reconnecting(2, .seconds(1), "a: who? (unknown-session)")])
        #expect(keeper.advance(to: Self.second, chance: 0) == [.dial(0)])
        #expect(keeper.beginsAnew)
        #expect(keeper.connected(at: Self.second) == [.send(.connect(token: nil))])
        let accepted = keeper.received(.ok(token: "u", graceTime: 300), at: Self.second, chance: 0)
        #expect(accepted == [.open, .report(.reconnected(attempts: 2))])
        _ = keeper.lost(Self.loss, at: 20 * Self.second, chance: 0)
        #expect(keeper.connected(at: 20 * Self.second) == [.send(.connect(token: "u"))])
        // Now something was acknowledged.
        let end = ConnectionEnd(.refused, "a: who? (unknown-session)")
        #expect(keeper.received(Self.unknown, at: 20 * Self.second, chance: 0) == [.hangUp, .end(end)])
    }

    @Test("is told for good that there is no other session for it either")
    func refusedAnew() {
        var keeper = Self.established()
        _ = keeper.lost(Self.loss, at: 0, chance: 0)
        _ = keeper.connected(at: 0)
        _ = keeper.received(Self.unknown, isUnheard: true, at: 0, chance: 0)
        _ = keeper.advance(to: Self.second, chance: 0)
        _ = keeper.connected(at: Self.second)
        let actions = keeper.received(.error(.notAllowed, reason: "no"), isUnheard: true, at: Self.second, chance: 0)
        #expect(actions == [.hangUp, .end(ConnectionEnd(.refused, "a: no (not-allowed)"))])
    }
}
