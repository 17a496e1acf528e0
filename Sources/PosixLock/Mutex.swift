// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if THREAD_SANITIZER
/// Stands in for `Synchronization.Mutex`, which the thread sanitizer does not understand (`make sanitize`).
public final class Mutex<Value>: @unchecked Sendable {
    private let lock = PosixLock()
    /// With a filler: a value without a size, such as Void, would be said to be where the object begins.
    private var stored: (value: Value, filler: UInt8)

    /// Makes a lock around a value.
    public init(_ value: consuming sending Value) {
        stored = (value, 0)
    }

    /// Runs `body` on the value, which nobody else sees meanwhile.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&stored.value)
    }
}
#endif
