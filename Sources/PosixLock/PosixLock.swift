// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A lock that the thread sanitizer understands.
///
/// It does not understand `Synchronization.Mutex`, which is a futex inside Swift's library, and would take all that such
/// a lock guards for unguarded. Used in place of it where the tests run under the sanitizer, and nowhere else.
public final class PosixLock: @unchecked Sendable {
    // The mutex has one address for its whole life: it is allocated here and freed with the object.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    /// Creates a lock that nobody holds.
    public init() {
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Waits until nobody holds the lock, and takes it.
    public func lock() {
        pthread_mutex_lock(mutex)
    }

    /// Gives the lock back.
    public func unlock() {
        pthread_mutex_unlock(mutex)
    }
}
