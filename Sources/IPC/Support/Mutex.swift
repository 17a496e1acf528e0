// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if THREAD_SANITIZER
internal import PosixLock

/// Stands in for `Synchronization.Mutex`, which the thread sanitizer does not understand (`make sanitize`).
///
/// One file for several modules (symbolic links): each needs a type of its own that hides the library's.
final class Mutex<Value>: @unchecked Sendable {
    private let lock = PosixLock()
    /// With a filler: a value without a size, such as Void, would be said to be where the object begins.
    private var stored: (value: Value, filler: UInt8)

    init(_ value: consuming sending Value) {
        stored = (value, 0)
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&stored.value)
    }
}
#endif
