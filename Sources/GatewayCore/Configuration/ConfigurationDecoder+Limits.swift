// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Yams

/// `limits:` and `timeouts:`.
extension ConfigurationDecoder {
    mutating func decodeLimits(_ document: ConfigurationReader.Section) -> GatewayLimits {
        var limits = GatewayLimits()
        let known =
            [
                "frameBytes", "contextBytes", "queueBytes", "valueDepth", "valueElements", "jsonDepth", "clients",
                "newcomers", "incompleteBytes",
            ] + Self.clientLimitKeys
        guard let node = document.members["limits"], let section = reader.section(node, "limits", known: known) else {
            return limits
        }
        func path(_ key: String) -> String { section.path(of: key) }
        if let node = section.members["frameBytes"] {
            limits.wire.frameBytes = reader.size(node, path("frameBytes"), in: 64...1 << 30) ?? 0
        }
        if let node = section.members["contextBytes"] {
            limits.contextBytes = reader.size(node, path("contextBytes"), in: 16...1 << 20) ?? 0
        }
        if let node = section.members["queueBytes"] {
            limits.queueBytes = reader.size(node, path("queueBytes"), in: 1024...1 << 30) ?? 0
        }
        if let node = section.members["valueDepth"] {
            limits.wire.valueDepth = reader.integer(node, path("valueDepth"), in: 1...1024) ?? 0
        }
        if let node = section.members["valueElements"] {
            limits.wire.valueElements = reader.integer(node, path("valueElements"), in: 16...1 << 28) ?? 0
        }
        if let node = section.members["jsonDepth"] {
            limits.wire.jsonDepth = reader.integer(node, path("jsonDepth"), in: 1...1024) ?? 0
        }
        if let node = section.members["clients"] {
            limits.clients = reader.integer(node, path("clients"), in: 1...1 << 24) ?? 0
        }
        if let node = section.members["newcomers"] {
            limits.newcomers = reader.integer(node, path("newcomers"), in: 1...1 << 24) ?? 0
        }
        if let node = section.members["incompleteBytes"] {
            limits.incompleteBytes = reader.size(node, path("incompleteBytes"), in: 1024...1 << 40) ?? 0
        }
        limits.client = decodeClientLimits(section, limits.client)
        return limits
    }

    mutating func decodeTimeouts(_ document: ConfigurationReader.Section) -> GatewayTimeouts {
        var timeouts = GatewayTimeouts()
        guard let node = document.members["timeouts"],
            let section = reader.section(
                node,
                "timeouts",
                known: ["handshake", "context", "frame", "idle", "stall", "upstream", "drain"]
            )
        else { return timeouts }
        let members: [(String, WritableKeyPath<GatewayTimeouts, UInt64>)] = [
            ("handshake", \.handshake), ("context", \.context), ("frame", \.frame), ("upstream", \.upstream),
            ("drain", \.drain), ("stall", \.stall),
        ]
        for (key, member) in members {
            if let node = section.members[key], let value = reader.duration(node, section.path(of: key)) {
                timeouts[keyPath: member] = value
            }
        }
        if let node = section.members["idle"] {
            timeouts.idle = reader.duration(node, section.path(of: "idle"))
        }
        return timeouts
    }
}
