// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A value that has to be found first. The search is given up when nobody refers to this any more.
final class Deferred<Value: Sendable>: Sendable {
    private typealias Waiter = @Sendable (Result<Value, any Error>) -> Void

    private struct State {
        var result: Result<Value, any Error>?
        var nextNumber = 0
        /// In the order in which they came: numbers grow.
        var waiters: [(number: Int, tell: Waiter)] = []
        /// What the search hangs on: a task of its own, or that another value becomes known.
        var search: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Starts to search, at once and once.
    init(_ find: @escaping @Sendable () async throws -> Value) {
        let task = Task.immediate { [weak self] in
            let result: Result<Value, any Error>
            do {
                result = .success(try await find())
            } catch {
                result = .failure(error)
            }
            self?.resolve(result)
        }
        state.withLock { $0.search = { task.cancel() } }
    }

    /// What is made of another value when that is known. It keeps the other one.
    init<Other: Sendable>(_ other: Deferred<Other>, _ make: @escaping @Sendable (Other) -> Value) {
        let waiter = other.whenKnown { [weak self] found in
            self?.resolve(found.map(make))
        }
        state.withLock { $0.search = { other.forget(waiter) } }
    }

    deinit {
        state.withLock { $0.search }?()
    }

    /// Calls a closure when the value is known, at once if it is. Those who wait are called in the order in which they came.
    ///
    /// - Returns: What ``forget(_:)`` takes.
    func whenKnown(_ tell: @escaping @Sendable (Result<Value, any Error>) -> Void) -> Int {
        let (number, result) = state.withLock { state in
            state.nextNumber += 1
            if state.result == nil { state.waiters.append((state.nextNumber, tell)) }
            return (state.nextNumber, state.result)
        }
        if let result { tell(result) }
        return number
    }

    /// Forgets a closure that has not been called.
    func forget(_ number: Int) {
        // It is released outside of the lock: nobody knows what it captured.
        let forgotten = state.withLock { state in
            state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
        }
        withExtendedLifetime(forgotten) {}
    }

    /// Waits until the value is known.
    ///
    /// - Throws: What the search throws; `CancellationError` when the task is cancelled before.
    func value() async throws -> Value {
        let answer = Answer()
        let number = whenKnown { answer.set($0) }
        let result = await answer.wait()
        forget(number)
        try Task.checkCancellation()
        guard let result else { throw CancellationError() }
        return try result.get()
    }

    /// What one of those who wait was told.
    private final class Answer: Sendable {
        private let result = Mutex<Result<Value, any Error>?>(nil)
        private let isSet = WaitList()

        func set(_ found: Result<Value, any Error>) {
            result.withLock { $0 = found }
            isSet.signal()
        }

        func wait() async -> Result<Value, any Error>? {
            await isSet.wait(unless: { result.withLock { $0 != nil } })
            return result.withLock { $0 }
        }
    }

    private func resolve(_ result: Result<Value, any Error>) {
        while true {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                // Known to all only when those who waited were told: nobody overtakes them.
                if state.waiters.isEmpty { state.result = result }
                return state.waiters
            }
            if waiters.isEmpty { return }
            for (_, tell) in waiters { tell(result) }
        }
    }
}
