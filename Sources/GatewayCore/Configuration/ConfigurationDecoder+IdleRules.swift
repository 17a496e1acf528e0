// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Warnings of rules that change nothing.
extension ConfigurationDecoder {
    /// Files with very many rules are written by programs; comparing each with each would take long.
    private static let mostComparisons = 1_000_000

    /// Warns of rules that never apply, and of rules without which the others would allow the same.
    ///
    /// - Parameters:
    ///   - rules: The rules of a role, or of an entry.
    ///   - all: The same, and those of the entry's roles.
    mutating func warnOfIdle(_ rules: [AccessPolicy.Rule], among all: [AccessPolicy.Rule]) {
        for rule in rules {
            if rule.call.isEmpty, rule.listen.isEmpty {
                warn(rule, "never applies: call: and listen: are empty")
            } else if let reason = ArgumentContradiction.find(in: rule.conditions) {
                // What cannot be judged is denied all the same.
                let what = rule.effect == .allow ? "its conditions never hold" : "denies only what cannot be judged"
                warn(rule, "\(what): \(reason)")
            }
        }
        guard !rules.isEmpty else { return }
        let simple = all.filter(\.conditions.isEmpty)
        guard rules.count * simple.count <= Self.mostComparisons else { return }
        let allowing = simple.filter { $0.effect == .allow }
        let denying = simple.filter { $0.effect == .deny }
        for rule in rules where rule.effect == .allow && !(rule.call.isEmpty && rule.listen.isEmpty) {
            if let deny = denying.first(where: { $0.covers(rule) }) {
                warn(rule, "never applies: all of it is denied by \(deny.place), on line \(deny.line ?? 0)")
            } else if let allow = allowing.first(where: {
                $0.covers(rule) && $0.place != rule.place && !$0.isTwin(of: rule) && !$0.isLaterEqual(of: rule)
                    // A deadline shortens what a wider rule allows.
                    && rule.deadline ?? .max >= $0.deadline ?? .max
            }) {
                let all = rule.conditions.isEmpty ? "all of it" : "all of it, without conditions,"
                warn(rule, "is not needed: \(all) is allowed by \(allow.place), on line \(allow.line ?? 0)")
            }
        }
    }

    private mutating func warn(_ rule: AccessPolicy.Rule, _ message: String) {
        reader.warn(line: rule.line, rule.place, message)
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

    /// Whether both are about the same, and this is the later one in the same list: one of the two is needed.
    fileprivate func isLaterEqual(of other: AccessPolicy.Rule) -> Bool {
        isBeside(other) && other.conditions.isEmpty && other.covers(self) && deadline == other.deadline
            // Places differ in their numbers, of which the longer is the greater.
            && (place.utf8.count, place) > (other.place.utf8.count, other.place)
    }

    /// Whether both say the same in one list, of which there is a warning already.
    fileprivate func isTwin(of other: AccessPolicy.Rule) -> Bool {
        isBeside(other) && saysTheSame(as: other)
    }

    /// Whether both are in one list.
    private func isBeside(_ other: AccessPolicy.Rule) -> Bool {
        func list(_ rule: AccessPolicy.Rule) -> Substring {
            rule.place[..<(rule.place.lastIndex(of: "[") ?? rule.place.endIndex)]
        }
        return list(self) == list(other)
    }

    /// Whether both differ at most in their names and places.
    func saysTheSame(as other: AccessPolicy.Rule) -> Bool {
        var twin = other
        (twin.name, twin.place, twin.line) = (name, place, line)
        return self == twin
    }
}
