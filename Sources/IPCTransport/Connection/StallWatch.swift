// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Finds out whether a peer takes what waits for it.
///
/// It is asked from time to time, by a timer that runs only while something waits.
struct StallWatch {
    /// Whether the timer runs.
    var isRunning = false
    private var takenByteCount = -1
    private var lastProgress = NIODeadline.uptimeNanoseconds(0)

    /// For how long the peer has taken nothing.
    ///
    /// - Parameter taken: How many bytes it has taken since the connection began.
    mutating func stall(taken: Int, now: NIODeadline) -> TimeAmount {
        if taken != takenByteCount {
            takenByteCount = taken
            lastProgress = now
        }
        return now - lastProgress
    }

    /// Forgets what was seen before: a new wait begins.
    mutating func reset() {
        isRunning = false
        takenByteCount = -1
    }
}
