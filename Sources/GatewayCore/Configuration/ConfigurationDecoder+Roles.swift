// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `roles:`, rules that client entries share.
extension ConfigurationDecoder {
    /// The roles by name.
    struct Roles {
        /// The section's place, `roles` or `shadow.roles`.
        fileprivate var path = "roles"
        fileprivate var rules: [[UInt8]: [AccessPolicy.Rule]] = [:]
        fileprivate var names: [(name: String, node: Node)] = []
        fileprivate var used: Set<[UInt8]> = []
        /// Policies of entries that have roles and no rules of their own, by the roles.
        fileprivate var policies: [[[UInt8]]: AccessPolicy] = [:]
    }

    mutating func decodeRoles(_ document: ConfigurationReader.Section) -> Roles {
        var roles = Roles(path: document.path(of: "roles"))
        guard let node = document.members["roles"],
            let members = reader.mapping(node, roles.path, of: "a name for each role")
        else { return roles }
        for (name, node, keyNode) in members {
            // A role with a mistake is a role all the same, or every entry that has it would be reported too.
            roles.names.append((name, keyNode))
            roles.rules[Array(name.utf8)] = []
            guard let section = reader.section(node, "\(roles.path).\(name)", known: Self.ruleLists.map(\.key)) else {
                continue
            }
            if section.members.isEmpty {
                reader.report(node, section.path, "is empty; expected allow: and deny:, lists of rules")
            }
            let rules = decodeRules(section)
            warnOfIdle(rules, among: rules)
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
        warnOfIdle(own, among: shared + own)
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
            reader.warn(node, "\(roles.path).\(name)", "no client entry has this role")
        }
    }
}
