// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Answers to denied calls that are to look like those to calls of a channel that is not there, and so come late.
struct DelayedAnswers: Sendable {
    /// The time a VS Code server waits for a channel.
    static let delay: UInt64 = 1_000_000_000

    private struct Answer {
        var due: UInt64
        var id: UInt64
        var frame: [UInt8]
    }

    /// Bytes of all that wait.
    private(set) var byteCount = 0

    private var answers: [Answer] = []
    private var first = 0

    /// When the next answer is due; `UInt64.max` when there is none.
    var next: UInt64 { first < answers.count ? answers[first].due : .max }

    /// Adds an answer.
    mutating func add(_ frame: [UInt8], to id: UInt64, at now: UInt64) {
        byteCount += frame.count
        answers.append(Answer(due: now + Self.delay, id: id, frame: frame))
    }

    /// Removes the next answer if it is due.
    mutating func popDue(at now: UInt64) -> (id: UInt64, frame: [UInt8])? {
        guard first < answers.count, answers[first].due <= now else { return nil }
        let answer = answers[first]
        byteCount -= answer.frame.count
        first += 1
        if first == answers.count || first > 1024 {
            answers.removeFirst(first)
            first = 0
        }
        return (answer.id, answer.frame)
    }
}
