// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension GatewayProcess {
    /// What the process has used of the processor.
    public struct Usage: Sendable, Equatable {
        /// Time, in hundredths of a second.
        public var processorTicks: Int
        /// How often its threads have gone to sleep, or were made to: they wake for something each time.
        public var contextSwitches: Int
    }

    /// What the process has used until now, over all threads.
    public func usage() throws -> Usage {
        let stat = try String(contentsOfFile: "/proc/\(self.child.pid)/stat", encoding: .utf8)
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field behind it.
        let fields = (stat.split(separator: ")").last ?? "").split(separator: " ").compactMap { Int($0) }
        var switches = 0
        let tasks = "/proc/\(self.child.pid)/task"
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            for line in status.split(separator: "\n") where line.contains("ctxt_switches") {
                switches += line.split(separator: "\t").last.flatMap { Int($0) } ?? 0
            }
        }
        guard fields.count > 12 else { throw TestSupportError("no times in \(stat)") }
        return Usage(processorTicks: fields[10] + fields[11], contextSwitches: switches)
    }
}
