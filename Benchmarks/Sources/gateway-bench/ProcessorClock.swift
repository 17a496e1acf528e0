// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc

/// What a process has used of the processor.
enum ProcessorClock {
    /// User and system time of all its threads, in seconds.
    static func time(of pid: pid_t) throws -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw TestSupportError("process \(pid) has ended")
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
