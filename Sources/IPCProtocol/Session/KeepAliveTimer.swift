// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// When KeepAlive frames are due: at a fixed interval, whatever else is sent.
struct KeepAliveTimer: Sendable {
    private let interval: UInt64?
    /// When the next one is due; `UInt64.max` for never.
    private(set) var dueAt: UInt64 = .max

    init(settings: SessionSettings, at now: UInt64) {
        interval = settings.keepAlive
        start(at: now)
    }

    /// There is a new connection.
    mutating func start(at now: UInt64) {
        dueAt = interval.map { now.adding($0) } ?? .max
    }

    /// Returns whether one is due, once; those that were missed are not made up for.
    mutating func take(at now: UInt64) -> Bool {
        guard let interval, dueAt <= now else { return false }
        let next = dueAt.adding(interval)
        dueAt = next > now ? next : now.adding(interval)
        return true
    }
}
