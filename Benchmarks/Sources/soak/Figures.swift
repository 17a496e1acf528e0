// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What clients have seen.
struct Figures: Sendable {
    var calls = 0
    var answers = 0
    /// Errors that the gateway answered with, by name.
    var errors: [String: Int] = [:]
    /// Calls whose connection was cut before the answer.
    var forgotten = 0
    var events = 0
    var connections = 0
    var resumptions = 0
    /// From a call to its answer, in nanoseconds.
    var longestPause: UInt64 = 0

    static func += (left: inout Figures, right: Figures) {
        left.calls += right.calls
        left.answers += right.answers
        left.errors.merge(right.errors) { $0 + $1 }
        left.forgotten += right.forgotten
        left.events += right.events
        left.connections += right.connections
        left.resumptions += right.resumptions
        left.longestPause = max(left.longestPause, right.longestPause)
    }
}
