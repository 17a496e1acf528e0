// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Waits for the answers of threads, but not for ever.
enum Gathering {
    private struct State<Answer: Sendable>: Sendable {
        var answers: [Answer?]
        var left: Int
        var continuation: CheckedContinuation<[Answer?], Never>?
        var timer: Task<Void, Never>?
    }

    private final class Box<Answer: Sendable>: Sendable {
        let state: Mutex<State<Answer>>

        init(_ count: Int) {
            state = Mutex(State(answers: Array(repeating: nil, count: count), left: count))
        }

        func answer(_ index: Int, _ answer: Answer) {
            let isComplete = state.withLock { state in
                guard state.answers[index] == nil else { return false }
                state.answers[index] = answer
                state.left -= 1
                return state.left == 0
            }
            if isComplete { finish() }
        }

        func finish() {
            let (continuation, answers, timer) = state.withLock { state in
                defer { (state.continuation, state.timer) = (nil, nil) }
                return (state.continuation, state.answers, state.timer)
            }
            timer?.cancel()
            continuation?.resume(returning: answers)
        }
    }

    /// Asks, and waits.
    ///
    /// - Parameters:
    ///   - count: How many answers there will be.
    ///   - limit: How long to wait for them.
    ///   - ask: Asks; what it is given takes an answer, by its number, on whatever thread.
    /// - Returns: The answers; nil where there was none in time.
    static func collect<Answer: Sendable>(
        _ count: Int,
        within limit: Duration,
        _ ask: (@escaping @Sendable (Int, Answer) -> Void) -> Void
    ) async -> [Answer?] {
        let box = Box<Answer>(count)
        return await withCheckedContinuation { continuation in
            box.state.withLock { $0.continuation = continuation }
            let timer = Task {
                try? await Task.sleep(for: limit)
                if !Task.isCancelled { box.finish() }
            }
            box.state.withLock { $0.timer = timer }
            ask { box.answer($0, $1) }
        }
    }
}
