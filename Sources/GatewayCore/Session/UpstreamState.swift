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
    /// How often in a row it was lost before it said `Initialize`.
    var failures = 0
    /// Its own open requests: their ids, and those that the client knows them by. Unused where they are the same.
    var requests: [UInt64: UInt64] = [:]

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 15_000_000_000

    /// Takes note of a loss: the pause before it is dialled again doubles until it has been ready once.
    mutating func lost(at now: UInt64) {
        failures = isReady ? 0 : failures + 1
        let pause = min(Self.firstPause << UInt64(min(failures, 20)), Self.longestPause)
        phase = .down(until: now + pause)
        isReady = false
        isFull = false
        requests = [:]
    }
}
