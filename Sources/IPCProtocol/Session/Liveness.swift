// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Whether the peer is still there: it is not, when for a long time nothing at all has come from it while something waited
/// for its acknowledgement.
///
/// A process that was itself stopped, or starved, hears nothing either. VS Code counts how often a timer of a second fires and
/// declares nobody dead while half of the last ten are missing. Here the session's own deadlines tell the same: whoever is
/// called a second later than promised was not running, and then waits for longer than the peer needs for a keep-alive.
struct Liveness: Sendable {
    /// So much too late is still an ordinary timer.
    static let lateness: UInt64 = 1_000_000_000
    /// How long is listened after having been stopped; VS Code's estimate takes as long to recover.
    static let recovery: UInt64 = 6_000_000_000
    /// So often, at least, there has to be a call, or being stopped could go unnoticed.
    static let checkInterval: UInt64 = 5_000_000_000

    private let timeOut: UInt64
    private var heardAt: UInt64
    /// When the peer was last taken for dead, or the connection started.
    private var timedOutAt: UInt64
    private var calledAt: UInt64
    private var trustedFrom: UInt64 = 0
    /// Whether bytes are read from the connection: only then silence means something.
    private var isListening = true

    init(settings: SessionSettings, at now: UInt64) {
        timeOut = settings.timeOut
        heardAt = now
        timedOutAt = now
        calledAt = now
    }

    /// There is a new connection.
    mutating func start(at now: UInt64) {
        heardAt = now
        timedOutAt = now
        isListening = true
    }

    /// Bytes have come.
    mutating func heard(at now: UInt64) {
        heardAt = max(heardAt, now)
    }

    /// Bytes will be read, or will not be read for a while.
    mutating func listen(_ listens: Bool, at now: UInt64) {
        guard listens != isListening else { return }
        isListening = listens
        heardAt = max(heardAt, now)
    }

    /// The process runs.
    ///
    /// - Parameter promised: When it should have been called at the latest.
    mutating func called(at now: UInt64, promised: UInt64) {
        calledAt = max(calledAt, now)
        if now.since(promised) >= Self.lateness {
            trustedFrom = now.adding(Self.recovery)
        }
    }

    /// When the peer is dead if nothing comes; `UInt64.max` for never.
    ///
    /// - Parameter oldest: When the oldest message was sent that is not acknowledged.
    func timesOutAt(oldest: UInt64?) -> UInt64 {
        guard let oldest, isListening else { return .max }
        return max(max(oldest, heardAt, timedOutAt).adding(timeOut), trustedFrom)
    }

    /// When it has to be looked at again.
    func dueAt(oldest: UInt64?) -> UInt64 {
        min(timesOutAt(oldest: oldest), oldest == nil ? .max : calledAt.adding(Self.checkInterval))
    }

    /// Returns how long nothing has come if the peer is dead now; the next time is a whole time-out later.
    mutating func silence(oldest: UInt64?, at now: UInt64) -> UInt64? {
        guard timesOutAt(oldest: oldest) <= now else { return nil }
        timedOutAt = now
        return now.since(heardAt)
    }
}
