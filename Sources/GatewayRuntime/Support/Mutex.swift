// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if THREAD_SANITIZER
internal import PosixLock

/// Under the thread sanitizer, a lock that it understands.
typealias Mutex = PosixLock.Mutex
#endif
