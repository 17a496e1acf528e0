// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A rate: so many tokens a second, and at most a second's worth at once.
///
/// It holds one number, the time at which everything taken so far would have been taken at the steady rate.
public struct TokenBucket: Sendable, Hashable {
    static let burst: UInt64 = 1_000_000_000

    private let perSecond: UInt64
    private var paidUntil: UInt64 = 0

    /// Makes a bucket that is full.
    ///
    /// - Parameter perSecond: Tokens a second, at least one.
    public init(perSecond: Int) {
        self.perSecond = UInt64(max(1, perSecond))
    }

    static func time(of count: Int, perSecond: UInt64) -> UInt64 {
        let (high, low) = UInt64(count).multipliedFullWidth(by: 1_000_000_000)
        guard high < perSecond else { return .max / 2 }
        return perSecond.dividingFullWidth((high, low)).quotient
    }

    /// Takes tokens if there are as many.
    ///
    /// - Parameter now: The time in nanoseconds.
    public mutating func take(_ count: Int = 1, at now: UInt64) -> Bool {
        let after = max(paidUntil, now) + Self.time(of: count, perSecond: perSecond)
        guard after <= now + Self.burst else { return false }
        paidUntil = after
        return true
    }

    /// Takes tokens, on credit if need be.
    ///
    /// - Returns: When the credit will be paid back; a time that has passed when there is none.
    public mutating func charge(_ count: Int, at now: UInt64) -> UInt64 {
        paidUntil = max(paidUntil, now) &+ Self.time(of: count, perSecond: perSecond)
        return paidUntil - min(paidUntil, Self.burst)
    }
}
