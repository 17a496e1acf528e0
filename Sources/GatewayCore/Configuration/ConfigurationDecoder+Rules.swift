// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `allow:` and `deny:`, of client entries and of roles.
extension ConfigurationDecoder {
    static let ruleLists: [(key: String, effect: AccessPolicy.Effect)] = [("allow", .allow), ("deny", .deny)]

    /// The rules of both lists.
    mutating func decodeRules(_ owner: ConfigurationReader.Section) -> [AccessPolicy.Rule] {
        var rules: [AccessPolicy.Rule] = []
        for (key, effect) in Self.ruleLists {
            guard let node = owner.members[key],
                let items = reader.list(
                    node,
                    owner.path(of: key),
                    of: "rules, as in  - { channel: storage, call: [get] }"
                )
            else { continue }
            for item in items {
                guard let rule = decodeRule(item.node, item.path, effect) else { continue }
                warnOfDuplicate(rule, item.node, in: rules)
                rules.append(rule)
            }
        }
        return rules
    }

    private mutating func decodeRule(
        _ node: Node,
        _ path: String,
        _ effect: AccessPolicy.Effect
    ) -> AccessPolicy.Rule? {
        let known = ["name", "from", "channel", "call", "listen", "when", "deadline"]
        guard let section = reader.section(node, path, known: known) else { return nil }
        let channel = reader.required(section, "channel", "a pattern for the channel; \"*\" means every channel")
            .flatMap { decodePattern($0, section.path(of: "channel"), "a pattern for the channel") }
        var lists: [[Glob]] = []
        for (key, what) in [("call", "patterns for commands"), ("listen", "patterns for events")] {
            lists.append(section.members[key].flatMap { decodePatterns($0, section.path(of: key), what) } ?? [])
        }
        if section.members["call"] == nil, section.members["listen"] == nil {
            let does = effect == .allow ? "allows nothing" : "denies nothing"
            reader.report(node, path, "\(does); add call: [commands] or listen: [events], \"*\" for all")
        }
        let from = section.members["from"].flatMap {
            reader.choice($0, section.path(of: "from"), of: ["client", "server"])
        }
        let conditions = section.members["when"].map { decodeConditions($0, section.path(of: "when")) } ?? []
        let deadline = section.members["deadline"].flatMap { decodeDeadline($0, section, effect) }
        let name = section.members["name"].flatMap { decodeRuleName($0, section.path(of: "name")) }
        guard let channel, let conditions else { return nil }
        return AccessPolicy.Rule(
            effect,
            from == "server" ? .fromServer : .fromClient,
            channel: channel,
            call: lists[0],
            listen: lists[1],
            conditions: conditions,
            deadline: deadline,
            name: name,
            place: path,
            line: node.mark?.line
        )
    }

    private mutating func decodeDeadline(
        _ node: Node,
        _ rule: ConfigurationReader.Section,
        _ effect: AccessPolicy.Effect
    ) -> UInt64? {
        let path = rule.path(of: "deadline")
        if effect == .deny || rule.members["call"] == nil {
            reader.report(node, path, "a deadline is for calls that a rule allows; this one allows none")
            return nil
        }
        return reader.duration(node, path)
    }

    /// A rule's name appears in logs, so it must say which rule.
    private mutating func decodeRuleName(_ node: Node, _ path: String) -> String? {
        guard let name = reader.text(node, path, "a name for the rule") else { return nil }
        guard name.utf8.count <= 100, name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            reader.report(node, path, "a rule's name has at most 100 bytes, and no control characters")
            return nil
        }
        if let line = ruleNames.updateValue(node.mark?.line ?? 0, forKey: Array(name.utf8)) {
            reader.report(node, path, "another rule, on line \(line), is called '\(name)' too")
        }
        return name
    }

    private mutating func warnOfDuplicate(_ rule: AccessPolicy.Rule, _ node: Node, in rules: [AccessPolicy.Rule]) {
        // Files with very many rules are written by programs; comparing each with each would take long.
        guard rules.count < 1000 else { return }
        if let twin = rules.first(where: { $0.saysTheSame(as: rule) }) {
            reader.warn(node, rule.place, "says the same as the rule on line \(twin.line ?? 0)")
        }
    }

    // MARK: Patterns

    mutating func decodePatterns(_ node: Node, _ path: String, _ what: String) -> [Glob]? {
        guard let items = reader.list(node, path, of: what) else { return nil }
        let patterns = items.map { decodePattern($0.node, $0.path, what) }
        return patterns.contains { $0 == nil } ? nil : patterns.compactMap(\.self)
    }

    mutating func decodePattern(_ node: Node, _ path: String, _ what: String) -> Glob? {
        guard let text = reader.text(node, path, what) else { return nil }
        guard let pattern = Glob(text) else {
            reader.report(node, path, "'\(text)' ends in a lone backslash; a literal backslash is written \\\\")
            return nil
        }
        return pattern
    }
}
