// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `clients:`, the part of the document that decides who may do what.
extension ConfigurationDecoder {
    mutating func decodeClients(
        _ document: ConfigurationReader.Section,
        upstreams: [GatewayConfiguration.Upstream],
        fields: [IdentityField],
        limits: ClientLimits
    ) -> [GatewayConfiguration.Client] {
        var roles = decodeRoles(document)
        defer { warnOfUnused(roles) }
        let path = document.path(of: "clients")
        let effect = document.path.isEmpty ? "nobody may connect" : "it denies everything"
        guard let node = document.members["clients"] else {
            reader.warn(document.node, document.path, "there is no clients: section, so \(effect)")
            return []
        }
        guard let items = reader.list(node, path, of: "client entries") else { return [] }
        if items.isEmpty { reader.warn(node, path, "is empty, so \(effect)") }
        var clients: [GatewayConfiguration.Client] = []
        for item in items {
            let client = decodeClient(
                item.node,
                item.path,
                upstreams: upstreams,
                fields: fields,
                limits: limits,
                &roles
            )
            if let client { clients.append(client) }
        }
        warnOfDoubts(clients, path, fields: fields)
        return clients
    }

    private mutating func decodeClient(
        _ node: Node,
        _ path: String,
        upstreams: [GatewayConfiguration.Upstream],
        fields: [IdentityField],
        limits: ClientLimits,
        _ roles: inout Roles
    ) -> GatewayConfiguration.Client? {
        let known = ["match", "context", "roles", "allow", "deny", "upstream", "limits", "sessions"]
        guard let section = reader.section(node, path, known: known) else { return nil }
        let match = reader.required(section, "match", "whom the entry is for, as in  match: { commonName: ops }")
            .flatMap { decodeMatch($0, section.path(of: "match"), fields: fields) }
        let context = reader.required(
            section,
            "context",
            "the client's context, as in  context: \"remote:{commonName}\"  or  context: { announced: [main] }"
        ).flatMap { decodeContext($0, section.path(of: "context")) }
        if let match, let context { checkContext(context, of: match, section) }
        let rights = decodePolicy(section, &roles)
        let upstreams = decodeUpstreamNames(section, upstreams: upstreams)
        let own = section.members["limits"].map { decodeClientLimits($0, section.path(of: "limits"), limits) }
        let graceTime = decodeGraceTime(section)
        guard let match, let context, let upstreams else { return nil }
        return GatewayConfiguration.Client(
            match: match,
            context: context,
            roles: rights.names,
            policy: rights.policy,
            upstreams: upstreams,
            limits: own ?? limits,
            graceTime: graceTime,
            line: node.mark?.line ?? 0
        )
    }

    mutating func decodeMatch(
        _ node: Node,
        _ path: String,
        fields: [IdentityField]
    ) -> [IdentityField: [Glob]]? {
        let known = IdentityField.allCases.map(\.rawValue)
        guard let section = reader.section(node, path, known: known) else { return nil }
        var match: [IdentityField: [Glob]] = [:]
        for (name, node) in section.members {
            guard let field = IdentityField(rawValue: name) else { continue }
            let path = section.path(of: name)
            if !fields.contains(field) {
                reader.report(
                    node,
                    path,
                    "identity.from does not list '\(name)'; add it there, in its place in the order"
                )
            }
            match[field] = decodeMatchPatterns(node, path, field)
        }
        if match.isEmpty, section.members.isEmpty {
            reader.report(node, path, "is empty and would match everybody; name at least one certificate field")
        }
        checkSources(match, node, path)
        return match.isEmpty ? nil : match
    }

    /// One pattern, or a list of which one has to match.
    private mutating func decodeMatchPatterns(_ node: Node, _ path: String, _ field: IdentityField) -> [Glob]? {
        var items = [(node: node, path: path)]
        if case .sequence = node {
            items = reader.list(node, path, of: "patterns") ?? []
            if items.isEmpty { reader.report(node, path, "is empty, so nobody would match") }
        }
        var patterns: [Glob] = []
        for item in items {
            guard let text = reader.text(item.node, item.path, "a pattern for \(field.phrase)")
            else {
                continue
            }
            if !isPossible(text, item.node, item.path, field) {
                continue
            } else if let pattern = field.pattern(text) {
                patterns.append(pattern)
                warnOfWidth(text, item.node, item.path, field)
            } else {
                let message = "'\(text)' ends in a lone backslash; a literal backslash is written \\\\"
                reader.report(item.node, item.path, message)
            }
        }
        return patterns.isEmpty ? nil : patterns
    }

    /// Warns of a star that takes more into a host's name than somebody may have thought.
    private mutating func warnOfWidth(_ pattern: String, _ node: Node, _ path: String, _ field: IdentityField) {
        let star = UInt8(ascii: "*")
        var text = Array(pattern.utf8)[...]
        switch field {
        case .uri:
            text = text.drop { $0 != UInt8(ascii: ":") }.dropFirst()
            guard text.starts(with: "//".utf8) else { return }
            let host = text.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            guard host.last == star, host.contains(where: { $0 != star }) else { return }
            reader.warn(node, path, "'\(pattern)' matches every host that begins so; end the host's name with a slash")
        case .dns:
            guard text.first == star, let next = text.first(where: { $0 != star }), next != UInt8(ascii: ".") else {
                return
            }
            reader.warn(node, path, "'\(pattern)' matches every name that ends so; put a dot behind the star")
        default:
            break
        }
    }
}
