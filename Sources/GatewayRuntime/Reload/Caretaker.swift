// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import GatewayCore
internal import Glibc
public import Logging
internal import TLSEngine

/// Looks after a running gateway, on a thread of its own: whether files have changed that it was configured by, whether
/// certificates are about to expire, and whether the clock was set by which they do.
public final class Caretaker: Sendable {
    /// How often it looks at certificates and the clock, in milliseconds.
    private static let lookInterval: Int32 = 60_000
    /// How long files have to be left alone before they are read: certificate and key are two.
    private static let settling: Int32 = 500

    private let gateway: Gateway
    private let reloader: Reloader
    private let logger: Logger
    private let wakeUp: Descriptor

    /// Starts its thread, which ends with the process.
    ///
    /// - Throws: When there is no descriptor to be had.
    public init(_ gateway: Gateway, _ reloader: Reloader, logger: Logger) throws(GatewayStartError) {
        self.gateway = gateway
        self.reloader = reloader
        self.logger = logger
        let number = clinux_eventfd()
        guard number >= 0 else { throw GatewayStartError("cannot look after the files: \(SystemError("eventfd"))") }
        wakeUp = Descriptor(number)
        reloader.whenReloaded { [weak self] in self?.look() }
        let snapshot = gateway.snapshot
        let watch = FileWatch(snapshot.configuration.readFiles)
        DetachedThread.start { self.run(snapshot, watch) }
    }

    /// The configuration may be another.
    func look() {
        var one: UInt64 = 1
        _ = write(wakeUp.number, &one, MemoryLayout<UInt64>.size)
    }

    private func run(_ first: GatewaySnapshot, _ files: FileWatch) {
        var expiries = ExpiryWatch()
        var clock = ClockWatch(offset: MonotonicClock.wallClockOffset())
        var lastLook = MonotonicClock.now()
        var snapshot = first
        var watch = files
        while !reloader.state.hasEnded {
            warn(&expiries, of: snapshot)
            let interval = snapshot.configuration.reload.interval
            wait(min(interval.map { Self.milliseconds(until: lastLook + $0) } ?? .max, Self.lookInterval))
            if let seconds = clock.jump(to: MonotonicClock.wallClockOffset()) { note(jump: seconds) }
            let current = gateway.snapshot
            if current !== snapshot {
                // Somebody else has read them.
                snapshot = current
                watch = FileWatch(snapshot.configuration.readFiles)
                lastLook = MonotonicClock.now()
                continue
            }
            guard let interval, MonotonicClock.now() >= lastLook + interval else { continue }
            lastLook = MonotonicClock.now()
            guard !watch.changes(of: snapshot.configuration.readFiles).isEmpty else { continue }
            repeat { wait(Self.settling) } while !watch.changes(of: snapshot.configuration.readFiles).isEmpty
            _ = reloader.reload(for: "changed files")
            // What was looked at before it was read stays: what changed meanwhile is found the next time. A configuration
            // that is refused is not read again before it has changed again.
            snapshot = gateway.snapshot
            watch.follow(snapshot.configuration.readFiles)
        }
    }

    private static func milliseconds(until end: UInt64) -> Int32 {
        let now = MonotonicClock.now()
        return end > now ? Int32(clamping: (end - now + 999_999) / 1_000_000) : 0
    }

    private func wait(_ milliseconds: Int32) {
        var waited = pollfd(fd: wakeUp.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, milliseconds) > 0 else { return }
        var count: UInt64 = 0
        _ = read(wakeUp.number, &count, MemoryLayout<UInt64>.size)
    }

    private func note(jump seconds: Int64) {
        logger.warning(
            """
            the clock was set \(seconds < 0 ? "back" : "forward") by \(seconds.magnitude) s, or the machine slept; \
            certificates are judged by the new time, deadlines go on as they were
            """,
            metadata: ["seconds": "\(seconds)"]
        )
    }

    private func warn(_ watch: inout ExpiryWatch, of snapshot: GatewaySnapshot) {
        let now = MonotonicClock.wallClock() / 1_000_000_000
        for warning in watch.warnings(snapshot.expiries, at: now) {
            logger.warning("\(warning.text)", metadata: ["days": "\(warning.days)", "expires": "\(warning.date)"])
        }
    }
}
