// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Payloads between an event that fires and a task that iterates. One task takes; any thread appends.
final class EventBuffer<Payload: Sendable>: Sendable {
    private struct State {
        var payloads: [Payload?] = []
        /// Where in `payloads` the next one is: removing from the front of an array would move all others each time.
        var head = 0
        var hasEnded = false
        var error: (any Error)?
        var taker: CheckedContinuation<Payload?, any Error>?
        var roomWaiters: [CheckedContinuation<Void, Never>] = []

        var count: Int { payloads.count - head }

        mutating func takeFirst() -> Payload? {
            guard head < payloads.count else { return nil }
            defer {
                payloads[head] = nil
                head += 1
                if head == payloads.count {
                    payloads.removeAll(keepingCapacity: payloads.count <= 64)
                    head = 0
                }
            }
            return payloads[head]
        }
    }

    /// Who is to be told of the end.
    private struct Waiting {
        var taker: CheckedContinuation<Payload?, any Error>?
        var forRoom: [CheckedContinuation<Void, Never>] = []
    }

    private enum Next {
        case payload(Payload)
        case end((any Error)?)
        case wait
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    func append(_ payload: Payload) {
        let taker = state.withLock { state -> CheckedContinuation<Payload?, any Error>? in
            guard !state.hasEnded else { return nil }
            if let taker = state.taker {
                state.taker = nil
                return taker
            }
            if state.count >= limit {
                state.hasEnded = true
                state.error = EventOverflow(limit: limit)
            } else {
                state.payloads.append(payload)
            }
            return nil
        }
        taker?.resume(returning: payload)
    }

    func finish(_ error: (any Error)?) {
        let waiting = state.withLock { state -> Waiting in
            guard !state.hasEnded else { return Waiting() }
            state.hasEnded = true
            // Somebody waits only where nothing is buffered, and is told here: the error is given once.
            state.error = state.taker == nil ? error : nil
            defer {
                state.taker = nil
                state.roomWaiters = []
            }
            return Waiting(taker: state.taker, forRoom: state.roomWaiters)
        }
        if let error {
            waiting.taker?.resume(throwing: error)
        } else {
            waiting.taker?.resume(returning: nil)
        }
        for waiter in waiting.forRoom { waiter.resume() }
    }

    func next() async throws -> Payload? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (next, waiters) = state.withLock { state -> (Next, [CheckedContinuation<Void, Never>]) in
                    let waiters = state.count <= limit / 2 + 1 ? state.roomWaiters : []
                    if !waiters.isEmpty { state.roomWaiters = [] }
                    if let payload = state.takeFirst() { return (.payload(payload), waiters) }
                    if state.hasEnded {
                        defer { state.error = nil }
                        return (.end(state.error), waiters)
                    }
                    if Task.isCancelled { return (.end(nil), waiters) }
                    state.taker = continuation
                    return (.wait, waiters)
                }
                for waiter in waiters { waiter.resume() }
                switch next {
                case .payload(let payload): continuation.resume(returning: payload)
                case .end(let error?): continuation.resume(throwing: error)
                case .end(nil): continuation.resume(returning: nil)
                case .wait: break
                }
            }
        } onCancel: {
            finish(nil)
        }
    }

    /// Waits until at most half of the buffer is taken.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.hasEnded || state.count <= limit / 2 { return true }
                state.roomWaiters.append(continuation)
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }
}
