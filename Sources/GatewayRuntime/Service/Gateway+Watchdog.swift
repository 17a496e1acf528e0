// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Logging

extension Gateway {
    /// Tells a service manager, again and again, that the gateway is alive; only when every thread has answered since the
    /// last time. Nothing happens where no manager wants to know.
    ///
    /// - Parameter manager: Whom to tell, and how often.
    public func startWatchdog(_ manager: ServiceManager) {
        guard manager.isThere, let interval = manager.watchdogInterval else { return }
        DetachedThread.start { [weak self, logger] in
            var isHanging = false
            manager.alive()
            while true {
                self?.liveness.ask(self?.mailboxes ?? [], at: MonotonicClock.now())
                Self.pause(interval)
                guard let self else { return }
                let silent = liveness.silent
                if silent.isEmpty {
                    manager.alive()
                } else if !isHanging {
                    let threads = silent.map { "\($0.index)" }.joined(separator: ",")
                    logger.critical(
                        "a thread does not turn its loop any more; the watchdog is not told that the gateway is alive",
                        metadata: ["threads": "\(threads)"]
                    )
                }
                isHanging = !silent.isEmpty
            }
        }
    }

    private static func pause(_ nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
    }
}
