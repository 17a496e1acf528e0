// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tasks that wait for something to become true. Each stops to wait when it is cancelled.
final class WaitList: Sendable {
    private struct State {
        var nextNumber = 0
        /// In the order in which they came: numbers grow.
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Waits for ``signal()``, or until the task is cancelled.
    ///
    /// - Parameter isDone: Whether there is nothing to wait for. Asked when this task is among those that are signalled, so
    ///   that what becomes true in this moment is not missed.
    func wait(unless isDone: () -> Bool) async {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.waiters[number] = continuation }
                // A cancel that came before has found nothing.
                if isDone() || Task.isCancelled { resume(number) }
            }
        } onCancel: {
            resume(number)
        }
    }

    /// Wakes all who wait, in the order in which they came.
    func signal() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            return state.waiters.sorted { $0.key < $1.key }
        }
        for (_, waiter) in waiters { waiter.resume() }
    }

    private func resume(_ number: Int) {
        state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
}
