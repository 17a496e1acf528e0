// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if THREAD_SANITIZER
internal import PosixLock

/// Stands in for `Synchronization.Mutex`, which the thread sanitizer does not understand (`make sanitize`).
final class Mutex<Value>: @unchecked Sendable {
    private var value: Value
    private let lock = PosixLock()

    init(_ value: consuming sending Value) {
        self.value = value
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
#endif
