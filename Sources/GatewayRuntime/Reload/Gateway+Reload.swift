// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Logging
internal import Synchronization
internal import TLSEngine

extension Gateway {
    /// The snapshot by which new connections are judged.
    public var snapshot: GatewaySnapshot { current.withLock { $0 } }

    /// Goes on by a newer snapshot; returns at once. Not for two threads at the same time.
    ///
    /// New connections are judged by it, and soon everybody who is there: who would not be let in is cut, subscriptions
    /// that are not allowed any more end. When all have been judged the log says so.
    ///
    /// - Parameter next: The snapshot, of a higher generation than the one in force.
    /// - Throws: What differs that cannot change while the gateway runs; nothing has changed then.
    public func reload(_ next: GatewaySnapshot) throws(ConfigurationError) {
        guard !isDraining else {
            let message = "the gateway is stopping; the configuration is not read any more"
            throw ConfigurationError(problems: [ConfigurationProblem(file: next.configuration.file, message: message)])
        }
        let before = snapshot
        let problems = next.problems(replacing: before)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        current.withLock { $0 = next }
        let names = names.withLock { names in
            names.add(next.configuration)
            return names
        }
        let begin = MonotonicClock.now()
        let edition = Edition(next, names: names, threadCount: sessionThreads.count) { [logger] report in
            // Nobody can resume them any more: contexts do not know each other's sessions.
            for index in before.listeners.indices { before.tlsContext(of: index)?.forgetAllSessions() }
            logger.notice(
                "configuration reloaded",
                metadata: [
                    "generation": "\(next.generation)", "judged": "\(report.judged)", "cut": "\(report.cut)",
                    "changed": "\(report.changed)", "endedListens": "\(report.endedListens)",
                    "milliseconds": "\((MonotonicClock.now() - begin) / 1_000_000)",
                ]
            )
        }
        for thread in sessionThreads { thread.adopt(edition) }
    }
}
