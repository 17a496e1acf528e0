// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Compiles rules into a ``RuleTable``, in time that grows with the rules and with how many patterns match each name.
struct RuleTableBuilder {
    /// A pattern that has been asked whether it is a plain name.
    private enum Key: Hashable {
        case literal([UInt8])
        case pattern(Glob)

        init(_ glob: Glob) {
            self = glob.literal.map(Key.literal) ?? .pattern(glob)
        }
    }

    /// A verdict in the making.
    private struct Draft {
        var deny = RuleTable.Verdict.none
        var allow = RuleTable.Verdict.none
        var deadline = UInt64.max
        var conditional: Set<Int32> = []

        /// Whether all it says is that a rule allows.
        var isPlainAllow: Bool {
            allow != RuleTable.Verdict.none && deny == RuleTable.Verdict.none && deadline == .max && conditional.isEmpty
        }

        mutating func add(_ rule: AccessPolicy.Rule, _ index: Int32) {
            if !rule.conditions.isEmpty {
                conditional.insert(index)
            } else if rule.effect == .deny {
                deny = min(deny, index)
            } else {
                allow = min(allow, index)
                deadline = min(deadline, rule.deadline ?? .max)
            }
        }

        mutating func add(_ other: Draft) {
            deny = min(deny, other.deny)
            allow = min(allow, other.allow)
            deadline = min(deadline, other.deadline)
            conditional.formUnion(other.conditional)
        }
    }

    private var index = PatternIndex()
    private var channels: [RuleTable.Channel] = []
    private var shared: [Int32] = []
    private var drafts: [Draft] = []
    private var roots = [Int32](repeating: 0, count: 4)

    mutating func build(_ rules: [AccessPolicy.Rule]) -> RuleTable {
        for request in AccessPolicy.Request.allCases {
            for direction in AccessPolicy.Direction.allCases {
                roots[RuleTable.right(request, direction)] = addRight(request, direction, rules)
            }
        }
        var verdicts: [RuleTable.Verdict] = []
        var conditional: [Int32] = []
        for draft in drafts {
            let first = conditional.count
            conditional += draft.conditional.sorted()
            verdicts.append(
                RuleTable.Verdict(
                    deny: draft.deny,
                    allow: draft.allow,
                    deadline: draft.deadline,
                    conditional: Int32(first)..<Int32(conditional.count)
                )
            )
        }
        return RuleTable(
            rules: rules,
            index: index,
            channels: channels,
            shared: shared,
            verdicts: verdicts,
            conditional: conditional,
            roots: roots
        )
    }

    /// Adds the rules about one right; returns its scope of channels.
    private mutating func addRight(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        _ rules: [AccessPolicy.Rule]
    ) -> Int32 {
        var byChannel: [Key: [Key: Draft]] = [:]
        for (number, rule) in rules.enumerated() where rule.direction == direction {
            let channel = Key(rule.channel)
            for pattern in rule.patterns(for: request) {
                byChannel[channel, default: [:]][Key(pattern), default: Draft()].add(rule, Int32(number))
            }
        }
        var known: [(name: [UInt8], scope: Int32)] = []
        var patterns: [(glob: Glob, value: Int32)] = []
        for (channel, names) in byChannel {
            let scope = addNames(names)
            switch channel {
            case .literal(let name): known.append((name, scope))
            case .pattern(let glob): patterns.append((glob, scope))
            }
        }
        let root = index.addScope(patterns)
        for (name, own) in known {
            let first = shared.count
            shared += values(matching: name, in: root)
            index.insert(name, scope: root, value: Int32(channels.count))
            channels.append(RuleTable.Channel(own: own, shared: first..<shared.count))
        }
        return root
    }

    /// Adds the names and patterns of one channel pattern; returns their scope.
    private mutating func addNames(_ names: [Key: Draft]) -> Int32 {
        var patterns: [(glob: Glob, value: Int32)] = []
        for case (.pattern(let glob), let draft) in names {
            patterns.append((glob, Int32(drafts.count)))
            drafts.append(draft)
        }
        let scope = index.addScope(patterns)
        for case (.literal(let name), var draft) in names {
            for value in values(matching: name, in: scope) { draft.add(drafts[Int(value)]) }
            if draft.isPlainAllow {
                index.insert(name, scope: scope, value: ~draft.allow)
            } else {
                index.insert(name, scope: scope, value: Int32(drafts.count))
                drafts.append(draft)
            }
        }
        return scope
    }

    private func values(matching name: [UInt8], in scope: Int32) -> [Int32] {
        var values: [Int32] = []
        var steps = 0
        var search = index.search(in: scope)
        while let value = index.next(&search, name.span, steps: &steps) { values.append(value) }
        return values
    }
}
