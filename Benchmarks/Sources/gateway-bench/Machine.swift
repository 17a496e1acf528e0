// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the figures were taken on.
enum Machine {
    static var description: String {
        let processors = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = processors.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name =
            model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "?"
        var load = [0.0, 0.0, 0.0]
        getloadavg(&load, 3)
        return "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) × \(name), Linux \(kernel.trimmingCharacters(in: .newlines)); "
            + String(format: "load average before: %.2f", load[0])
    }
}
