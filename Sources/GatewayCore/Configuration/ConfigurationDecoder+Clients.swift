// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `clients:`, the part of the document that decides who may do what.
extension ConfigurationDecoder {
    mutating func decodeClients(
        _ document: ConfigurationReader.Section,
        upstreams: [GatewayConfiguration.Upstream],
        fields: [IdentityField]
    ) -> [GatewayConfiguration.Client] {
        guard let node = document.members["clients"] else {
            reader.warn(document.node, "", "there is no clients: section, so nobody may connect")
            return []
        }
        guard let items = reader.list(node, "clients", of: "client entries") else { return [] }
        if items.isEmpty { reader.warn(node, "clients", "is empty, so nobody may connect") }
        var clients: [GatewayConfiguration.Client] = []
        for item in items {
            if let client = decodeClient(item.node, item.path, upstreams: upstreams, fields: fields) {
                clients.append(client)
            }
        }
        return clients
    }

    private mutating func decodeClient(
        _ node: Node,
        _ path: String,
        upstreams: [GatewayConfiguration.Upstream],
        fields: [IdentityField]
    ) -> GatewayConfiguration.Client? {
        guard let section = reader.section(node, path, known: ["match", "context", "allow", "upstream"]) else {
            return nil
        }
        let match = reader.required(section, "match", "whom the entry is for, as in  match: { commonName: ops }")
            .flatMap { decodeMatch($0, section.path(of: "match"), fields: fields) }
        let context = reader.required(
            section,
            "context",
            "the client's context, as in  context: \"remote:{commonName}\"  or  context: { announced: [main] }"
        ).flatMap { decodeContext($0, section.path(of: "context")) }
        let rules = decodeAllow(section)
        let upstream = decodeUpstreamName(section, upstreams: upstreams)
        guard let match, let context, let upstream else { return nil }
        return GatewayConfiguration.Client(
            match: match,
            context: context,
            policy: AccessPolicy(rules: rules),
            upstream: upstream,
            line: node.mark?.line ?? 0
        )
    }

    private mutating func decodeMatch(
        _ node: Node,
        _ path: String,
        fields: [IdentityField]
    ) -> [IdentityField: Glob]? {
        let known = IdentityField.allCases.map(\.rawValue)
        guard let section = reader.section(node, path, known: known) else { return nil }
        var match: [IdentityField: Glob] = [:]
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
            guard let text = reader.text(node, path, "a pattern for the certificate's \(name)") else { continue }
            guard let pattern = field.pattern(text) else {
                reader.report(node, path, "'\(text)' ends in a lone backslash; a literal backslash is written \\\\")
                continue
            }
            match[field] = pattern
        }
        if match.isEmpty, section.members.isEmpty {
            reader.report(node, path, "is empty and would match everybody; name at least one certificate field")
        }
        return match.isEmpty ? nil : match
    }

    private mutating func decodeContext(_ node: Node, _ path: String) -> GatewayConfiguration.ContextRule? {
        if case .mapping = node {
            guard let section = reader.section(node, path, known: ["announced"]),
                let list = reader.required(section, "announced", "patterns for the context the client announces")
            else { return nil }
            let listPath = section.path(of: "announced")
            let patterns = decodePatterns(list, listPath, "patterns for the context")
            if patterns?.isEmpty == true { reader.report(list, listPath, "is empty, so no context would be accepted") }
            return patterns.map { .announced($0) }
        }
        guard let text = reader.text(node, path, "a context such as \"remote:{commonName}\"") else { return nil }
        do throws(ContextTemplate.Failure) {
            return .assigned(try ContextTemplate(text))
        } catch {
            reader.report(node, path, error.description)
            return nil
        }
    }

    private mutating func decodeAllow(_ client: ConfigurationReader.Section) -> [AccessPolicy.Rule] {
        let path = client.path(of: "allow")
        guard let node = client.members["allow"] else {
            reader.warn(client.node, client.path, "there is no allow: list, so every call and listen will be denied")
            return []
        }
        guard let items = reader.list(node, path, of: "rules, as in  - { channel: storage, call: [get] }") else {
            return []
        }
        var rules: [AccessPolicy.Rule] = []
        for item in items {
            if let rule = decodeRule(item.node, item.path) { rules.append(rule) }
        }
        return rules
    }

    private mutating func decodeRule(_ node: Node, _ path: String) -> AccessPolicy.Rule? {
        guard let section = reader.section(node, path, known: ["channel", "call", "listen"]) else { return nil }
        let channel = reader.required(section, "channel", "a pattern for the channel; \"*\" means every channel")
            .flatMap { decodePattern($0, section.path(of: "channel"), "a pattern for the channel") }
        var lists: [[Glob]] = []
        for (key, what) in [("call", "patterns for commands"), ("listen", "patterns for events")] {
            lists.append(section.members[key].flatMap { decodePatterns($0, section.path(of: key), what) } ?? [])
        }
        if section.members["call"] == nil, section.members["listen"] == nil {
            reader.report(node, path, "allows nothing; add call: [commands] or listen: [events], \"*\" for all")
        }
        guard let channel else { return nil }
        return AccessPolicy.Rule(channel: channel, call: lists[0], listen: lists[1])
    }

    private mutating func decodePatterns(_ node: Node, _ path: String, _ what: String) -> [Glob]? {
        guard let items = reader.list(node, path, of: what) else { return nil }
        let patterns = items.map { decodePattern($0.node, $0.path, what) }
        return patterns.contains { $0 == nil } ? nil : patterns.compactMap(\.self)
    }

    private mutating func decodePattern(_ node: Node, _ path: String, _ what: String) -> Glob? {
        guard let text = reader.text(node, path, what) else { return nil }
        guard let pattern = Glob(text) else {
            reader.report(node, path, "'\(text)' ends in a lone backslash; a literal backslash is written \\\\")
            return nil
        }
        return pattern
    }

    private mutating func decodeUpstreamName(
        _ client: ConfigurationReader.Section,
        upstreams: [GatewayConfiguration.Upstream]
    ) -> String? {
        let names = upstreams.map(\.name)
        let path = client.path(of: "upstream")
        if let node = client.members["upstream"] {
            return reader.choice(node, path, of: names)
        }
        if names.count > 1 {
            let all = names.joined(separator: ", ")
            reader.report(client.node, client.path, "'upstream' is missing: there are several, so name one of \(all)")
        }
        return names.first
    }
}
