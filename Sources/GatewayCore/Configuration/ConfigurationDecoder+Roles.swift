// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `roles:`, rules that client entries share.
extension ConfigurationDecoder {
    /// The roles by name.
    struct Roles {
        fileprivate var rules: [[UInt8]: [AccessPolicy.Rule]] = [:]
        fileprivate var names: [(name: String, node: Node)] = []
        fileprivate var used: Set<[UInt8]> = []
        /// Policies of entries that have roles and no rules of their own, by the roles.
        fileprivate var policies: [[[UInt8]]: AccessPolicy] = [:]
    }

    mutating func decodeRoles(_ document: ConfigurationReader.Section) -> Roles {
        var roles = Roles()
        guard let node = document.members["roles"],
            let members = reader.mapping(node, "roles", of: "a name for each role")
        else { return roles }
        for (name, node, keyNode) in members {
            // A role with a mistake is a role all the same, or every entry that has it would be reported too.
            roles.names.append((name, keyNode))
            roles.rules[Array(name.utf8)] = []
            guard let section = reader.section(node, "roles.\(name)", known: Self.ruleLists.map(\.key)) else {
                continue
            }
            if section.members.isEmpty {
                reader.report(node, section.path, "is empty; expected allow: and deny:, lists of rules")
            }
            let rules = decodeRules(section)
            warnOfShadowed(rules.filter { $0.effect == .allow }, by: rules)
            roles.rules[Array(name.utf8)] = rules
        }
        return roles
    }

    /// The rules of a client entry: those of its roles, and its own.
    mutating func decodePolicy(
        _ client: ConfigurationReader.Section,
        _ roles: inout Roles
    ) -> (names: [String], policy: AccessPolicy) {
        let names = client.members["roles"].map { decodeRoleNames($0, client.path(of: "roles"), &roles) } ?? []
        let keys = names.map { Array($0.utf8) }
        let own = decodeRules(client)
        if client.members["allow"] == nil, client.members["roles"] == nil {
            let message = "there is no allow: list and no role, so every call and listen will be denied"
            reader.warn(client.node, client.path, message)
        }
        let shared = keys.flatMap { roles.rules[$0] ?? [] }
        warnOfShadowed(own.filter { $0.effect == .allow }, by: shared + own)
        if own.isEmpty, let policy = roles.policies[keys] { return (names, policy) }
        let policy = AccessPolicy(rules: shared + own)
        if own.isEmpty { roles.policies[keys] = policy }
        return (names, policy)
    }

    private mutating func decodeRoleNames(_ node: Node, _ path: String, _ roles: inout Roles) -> [String] {
        guard let items = reader.list(node, path, of: "names of roles") else { return [] }
        var names: [String] = []
        for item in items {
            guard let name = reader.text(item.node, item.path, "the name of a role") else { continue }
            let key = Array(name.utf8)
            if roles.rules[key] == nil {
                let known = roles.names.map(\.name)
                let hint =
                    Spelling.nearest(to: name, in: known).map { "did you mean '\($0)'?" }
                    ?? (known.isEmpty ? "there is no roles: section" : "roles: \(known.joined(separator: ", "))")
                reader.report(item.node, item.path, "there is no role '\(name)'; \(hint)")
            } else if names.contains(where: { $0.utf8.elementsEqual(key) }) {
                reader.report(item.node, item.path, "'\(name)' is listed twice")
            } else {
                roles.used.insert(key)
                names.append(name)
            }
        }
        return names
    }

    mutating func warnOfUnused(_ roles: Roles) {
        for (name, node) in roles.names where !roles.used.contains(Array(name.utf8)) {
            reader.warn(node, "roles.\(name)", "no client entry has this role")
        }
    }

    /// Warns of rules that never apply because what they allow is denied.
    private mutating func warnOfShadowed(_ allowing: [AccessPolicy.Rule], by rules: [AccessPolicy.Rule]) {
        let denying = rules.filter { $0.effect == .deny && $0.conditions.isEmpty }
        // Files with very many rules are written by programs; comparing each with each would take long.
        guard allowing.count * denying.count <= 1_000_000 else { return }
        for rule in allowing {
            guard let deny = denying.first(where: { $0.covers(rule) }) else { continue }
            reader.warn(
                line: rule.line,
                rule.place,
                "never applies: all of it is denied by \(deny.place), on line \(deny.line ?? 0)"
            )
        }
    }
}

extension AccessPolicy.Rule {
    /// Whether it is certain that this rule, which has no conditions, is about everything that the other is about.
    fileprivate func covers(_ other: AccessPolicy.Rule) -> Bool {
        func covers(_ patterns: [Glob], _ others: [Glob]) -> Bool {
            others.allSatisfy { other in patterns.contains { $0.covers(other) } }
        }
        return direction == other.direction && channel.covers(other.channel) && covers(call, other.call)
            && covers(listen, other.listen)
    }
}
