// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Rules by name, and the calls that they allow.
///
/// Names are equally long, so that messages are, too.
struct Rules {
    /// How many rules, each with a command of its own in one of a hundred channels.
    let count: Int

    /// A client entry with these rules, in one line of YAML.
    func entry(for name: String) -> String {
        let rules = (0..<count).map { "{ channel: \(Self.channel($0)), call: [\(Self.command($0))] }" }
        return Self.entry(for: name, allow: rules.joined(separator: ", "))
    }

    /// A client entry that allows everything.
    static func everything(for name: String, members: String = "") -> String {
        entry(for: name, allow: #"{ channel: "*", call: ["*"], listen: ["*"] }"#, members: members)
    }

    private static func entry(for name: String, allow: String, members: String = "") -> String {
        "{ match: { commonName: \(name) }, context: \(name), allow: [\(allow)]\(members) }"
    }

    /// A call that the rule of this number allows, in a frame.
    static func call(_ rule: Int, id: UInt64) -> [UInt8] {
        let (channel, command) = (IPCString(channel(rule)), IPCString(command(rule)))
        return Frame.regular(IPCMessage.call(id: id, channel: channel, command: command, argument: argument)).encoded()
    }

    /// What is sent, and echoed.
    static let argument = IPCValue.string("a small text")

    static func channel(_ rule: Int) -> String { "channel-" + digits(rule % 100) }
    static func command(_ rule: Int) -> String { "command-" + digits(rule) }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: 5 - text.count) + text
    }
}
