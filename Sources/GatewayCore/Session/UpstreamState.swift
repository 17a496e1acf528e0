// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a session knows of one of its servers.
struct UpstreamState: Sendable {
    enum Phase: Sendable, Equatable {
        /// It has not been dialled, or may be dialled again.
        case idle
        /// It has been dialled and told the context.
        case open
        /// It was lost, or could not be reached; it is left alone until then.
        case down(until: UInt64)
    }

    var phase = Phase.idle
    /// Whether it has said `Initialize` since it was dialled.
    var isReady = false
    /// Whether its queue takes no more requests.
    var isFull = false
    /// When it said so.
    var readyAt: UInt64 = 0
    /// How often in a row it was lost soon after it was dialled.
    var failures = 0
    /// Subscriptions that it has not been told of yet.
    var waitingListens = 0
    /// Calls that it gets again when it is back.
    var waitingCalls = 0
    /// When they are given up, if there are any.
    var waitsUntil = UInt64.max
    /// Its own open requests: their ids, and those that the client knows them by. Unused where they are the same.
    var requests: [UInt64: UInt64] = [:]

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 15_000_000_000
    /// A server that has been there for so long has not been lost for what it found when it came.
    private static let stableTime: UInt64 = 5_000_000_000

    /// Whether it is to be left alone.
    func isDown(at now: UInt64) -> Bool {
        if case .down(let until) = phase { now < until } else { false }
    }

    /// Takes note that calls wait for it, since now or since it was reached last.
    mutating func waits(wasReached: Bool, at now: UInt64) {
        guard waitingCalls > 0, wasReached || waitsUntil == .max else { return }
        waitsUntil = now + RepeatableCalls.longestWait
    }

    /// Takes note that it has said `Initialize`.
    mutating func said(initializeAt now: UInt64) {
        if !isReady { readyAt = now }
        isReady = true
        waitsUntil = .max
    }

    /// Takes note of a loss: the pause before it is dialled again doubles until it has been there for a while.
    mutating func lost(at now: UInt64) {
        if isReady, now >= readyAt + Self.stableTime { failures = 0 }
        let pause = min(Self.firstPause << UInt64(min(failures, 20)), Self.longestPause)
        failures += 1
        phase = .down(until: now + pause)
        isReady = false
        isFull = false
        requests = [:]
    }
}
