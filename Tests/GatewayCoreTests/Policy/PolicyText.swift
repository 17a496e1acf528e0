// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol

/// Policies as operators write them, and arguments as clients send them.
enum PolicyText {
    /// A configuration with these sections, beside those that every configuration needs.
    static func configuration(_ sections: String) throws(ConfigurationError) -> GatewayConfiguration {
        let text = """
            listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
            identity: { from: [uri, commonName] }

            """
        let upstreams = sections.hasPrefix("upstreams:") ? "" : "upstreams: { main: { unix: s } }\n"
        return try GatewayConfiguration(yaml: text + upstreams + sections, file: "gateway.yaml")
    }

    /// The policy of a client with these rules, lists in YAML's flow style.
    static func policy(allow: String = "[]", deny: String = "[]") throws -> AccessPolicy {
        try configuration(
            "clients: [{ match: { commonName: c }, context: c, allow: \(allow), deny: \(deny) }]"
        ).clients[0].policy
    }

    /// JSON as an object travels, whatever its spelling.
    static func json(_ text: String) -> [UInt8] {
        var output: [UInt8] = [5]
        VQL.append(Int32(text.utf8.count), to: &output)
        return output + text.utf8
    }

    /// An array as it travels.
    static func array(_ elements: [UInt8]...) -> [UInt8] {
        var output: [UInt8] = [4]
        VQL.append(Int32(elements.count), to: &output)
        return output + elements.flatMap(\.self)
    }

    /// A string as it travels.
    static func text(_ text: String) -> [UInt8] {
        ValueEncoder.encode(.string(IPCString(text)))
    }
}

extension AccessPolicy {
    /// What the policy says to a request.
    func decision(
        _ request: Request,
        from direction: Direction = .fromClient,
        _ channel: String,
        _ name: String,
        _ argument: [UInt8] = [0]
    ) -> Decision {
        judge(
            request,
            direction,
            channel: Array(channel.utf8).span,
            name: Array(name.utf8).span,
            argument: argument.span,
            limits: IPCLimits()
        )
    }

    /// Whether a call passes.
    func allowsCall(_ channel: String, _ command: String, _ argument: [UInt8] = [0]) -> Bool {
        decision(.call, channel, command, argument).isAllowed
    }
}
