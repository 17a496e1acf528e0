// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore

/// Rules by name, each with a command of its own in one of a hundred channels.
enum Rules {
    static func all(_ count: Int) throws -> [AccessPolicy.Rule] {
        try (0..<count).map { AccessPolicy.Rule(channel: try glob(channel($0)), call: [try glob(command($0))]) }
    }

    static func channel(_ rule: Int) -> String { "channel-\(rule % 100)" }
    static func command(_ rule: Int) -> String { "command-\(rule)" }

    static func glob(_ text: String) throws -> Glob {
        guard let glob = Glob(text) else { throw Failure("'\(text)' is not a pattern") }
        return glob
    }
}
