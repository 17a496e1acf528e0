// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A ``TokenBucket`` that several threads take from, without a lock.
final class SharedTokenBucket: Sendable {
    private let perSecond: UInt64
    private let paidUntil = Atomic<UInt64>(0)
    /// The latest time that anybody has said: each thread knows that of the beginning of its turn.
    private let latest = Atomic<UInt64>(0)

    init(perSecond: Int) {
        self.perSecond = UInt64(max(1, perSecond))
    }

    /// Takes tokens if there are as many.
    func take(_ count: Int, at now: UInt64) -> Bool {
        let cost = TokenBucket.time(of: count, perSecond: perSecond)
        // Who is behind would find that the others have taken in the future, and get less than there is.
        let now = latest.max(now, ordering: .relaxed).newValue
        var before = paidUntil.load(ordering: .relaxed)
        while true {
            let after = max(before, now) + cost
            guard after <= now + TokenBucket.burst else { return false }
            let result = paidUntil.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if result.exchanged { return true }
            before = result.original
        }
    }

    /// Gives tokens back that have just been taken.
    func giveBack(_ count: Int) {
        paidUntil.subtract(TokenBucket.time(of: count, perSecond: perSecond), ordering: .relaxed)
    }

    /// Takes tokens, on credit if need be, and says when the credit will be paid back.
    func charge(_ count: Int, at now: UInt64) -> UInt64 {
        let cost = TokenBucket.time(of: count, perSecond: perSecond)
        var before = paidUntil.load(ordering: .relaxed)
        while true {
            let after = max(before, now) &+ cost
            let result = paidUntil.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if result.exchanged { return after - min(after, TokenBucket.burst) }
            before = result.original
        }
    }

    /// Whether less than a full bucket is left, so that a new one would be a gift.
    func isInUse(at now: UInt64) -> Bool {
        paidUntil.load(ordering: .relaxed) > now
    }
}
