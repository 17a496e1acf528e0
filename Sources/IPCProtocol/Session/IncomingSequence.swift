// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Which messages are new: those in order, each once.
struct IncomingSequence: Sendable {
    /// What a message is.
    enum Verdict: Sendable, Hashable {
        /// The next one.
        case next
        /// One that was accepted before; a replay repeats it.
        case duplicate
        /// One before it is missing, or was not taken.
        case missing
    }

    private let isStrict: Bool
    /// The last one accepted.
    private(set) var lastID: UInt32 = 0
    /// The highest that came and could not be accepted.
    private var furthest: UInt32 = 0
    /// The last one that came on this connection. A connection starts with a replay, so it begins as if all had come.
    private var previous = UInt32.max

    init(isStrict: Bool) {
        self.isStrict = isStrict
    }

    /// Whether something has to come again.
    var isIncomplete: Bool { furthest > lastID }

    /// There is another connection.
    mutating func startConnection() {
        previous = .max
    }

    /// Judges a message by its number.
    ///
    /// - Parameter isTaken: Whether it would be taken. One that is not is treated as if it had been lost.
    /// - Throws: `malformed` for a message without a number, `state-lost` for a replay that starts too late. In lenient mode
    ///   neither is noticed.
    mutating func judge(_ id: UInt32, isTaken: Bool) throws(SessionFailure) -> Verdict {
        guard id > 0 else {
            guard !isStrict else {
                throw SessionFailure(.malformed, "a message has no sequence number")
            }
            return .duplicate
        }
        // A number that is not above the one before is where a replay starts.
        let isReplayStart = id <= previous
        previous = id
        if id <= lastID {
            return .duplicate
        }
        if id == lastID + 1, isTaken {
            lastID = id
            return .next
        }
        if isStrict, isReplayStart, id > lastID + 1 {
            throw SessionFailure(.stateLost, "message \(lastID + 1) is missing, and the replay starts with \(id)")
        }
        furthest = max(furthest, id)
        return .missing
    }
}
