// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Synchronization

/// How a gateway comes to its end.
struct EndState {
    var isDraining = false
    var hasEnded = false
    /// Called when it begins.
    var whenDraining: (@Sendable () -> Void)?
}

extension Gateway {
    /// How long connections may take to end once nothing is waited for any more, in nanoseconds.
    private static let stopGrace: UInt64 = 2_000_000_000

    /// Whether the gateway stops: it accepts nobody, and refuses new calls.
    public var isDraining: Bool { end.withLock { $0.isDraining } }

    /// Whether a ``wait()`` has seen every thread end.
    public var hasEnded: Bool { end.withLock { $0.hasEnded } }

    /// What the end has cut so far; complete after ``wait()``.
    public var drainReport: DrainReport { tally.report }

    /// Stops in order, as SIGTERM does; returns at once, and does nothing when it is stopping already.
    ///
    /// Nobody is accepted any more; connections that the system has accepted already are told. New calls are refused with an
    /// error. Each client is let go when nothing of it is outstanding, at the latest after `timeouts.drain`. Then the
    /// gateway's threads end, which ``wait()`` waits for.
    public func requestDrain() {
        let (isFirst, whenDraining) = end.withLock { end in
            defer { end.isDraining = true }
            return (!end.isDraining, end.whenDraining)
        }
        guard isFirst else { return }
        // First, so that nobody connects to a socket that will not be accepted from any more.
        for file in socketFiles { file.remove() }
        let drainTime = current.withLock { $0.configuration.timeouts.drain }
        for mailbox in mailboxes {
            mailbox.post { $0.stop(grace: Self.stopGrace + drainTime) }
        }
        whenDraining?()
    }

    /// Ends at once: whoever is still there is cut. For after ``requestDrain()``.
    public func stopNow() {
        for mailbox in mailboxes {
            mailbox.post { $0.stopNow() }
        }
    }

    /// Calls `body` when the gateway begins to stop, on the thread that asked for it; at once, when it has already.
    public func whenDraining(_ body: @escaping @Sendable () -> Void) {
        let isDraining = end.withLock { end in
            end.whenDraining = body
            return end.isDraining
        }
        if isDraining { body() }
    }
}
