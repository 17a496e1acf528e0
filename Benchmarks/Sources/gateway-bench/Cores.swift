// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// Which processor the gateway has for itself, and which the others share: what they do is not to be in its figures.
struct Cores {
    /// The words in front of the gateway's command.
    let gatewayLauncher: [String]

    /// Takes this process, and what it starts from now on, to the second processor, where there are two.
    static func divided() throws -> Cores {
        guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else {
            note("There is one processor only: clients and servers disturb the gateway.")
            return Cores(gatewayLauncher: [])
        }
        let taskset = try ChildProcess(["taskset", "--all-tasks", "--cpu-list", "--pid", "1", "\(getpid())"])
        guard try taskset.wait() == 0 else { throw TestSupportError("taskset: \(taskset.errors)") }
        return Cores(gatewayLauncher: ["taskset", "--cpu-list", "0"])
    }
}

/// Tells whoever waits.
func note(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
}
