// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Nanoseconds since some moment in the past, never set back.
enum MonotonicClock {
    static func now() -> UInt64 {
        UInt64(read(CLOCK_MONOTONIC))
    }

    /// What the processor has done for the calling thread, in nanoseconds.
    static func threadProcessorTime() -> UInt64 {
        UInt64(read(CLOCK_THREAD_CPUTIME_ID))
    }

    /// Nanoseconds since 1970.
    static func wallClock() -> Int64 {
        read(CLOCK_REALTIME)
    }

    /// What to add to get nanoseconds since 1970, as the system knows them now.
    static func wallClockOffset() -> Int64 {
        read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
