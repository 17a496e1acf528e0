// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore

/// Writes the oracle's rules as an operator would.
enum PolicyWriter {
    static func yaml(
        _ world: OracleTests.World,
        isShuffled: Bool,
        _ random: inout some RandomNumberGenerator
    ) -> String {
        func order<Element>(_ elements: [Element]) -> [Element] {
            isShuffled ? elements.shuffled(using: &random) : elements
        }
        func lists(_ rules: [OracleRule]) -> String {
            let rules = order(rules)
            let allow = rules.filter { !$0.denies }.map(rule).joined(separator: ", ")
            return "allow: [\(allow)], deny: [\(rules.filter(\.denies).map(rule).joined(separator: ", "))]"
        }
        var lines = ["roles:"]
        lines += order(world.roles.enumerated().map { "  role\($0.offset): { \(lists($0.element)) }" })
        lines += ["clients:"]
        lines += order(
            world.clients.enumerated().map { number, client in
                let roles = order(client.roles).map { "role\($0)" }.joined(separator: ", ")
                return "  - { match: { commonName: client\(number) }, context: c, roles: [\(roles)], "
                    + lists(client.own) + " }"
            }
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private static func rule(_ rule: OracleRule) -> String {
        var members = ["name: \(rule.name)", "channel: \(quoted(rule.channel))"]
        if rule.direction == .fromServer { members.append("from: server") }
        for (key, patterns) in [("call", rule.call), ("listen", rule.listen)] where !patterns.isEmpty {
            members.append("\(key): [\(patterns.map(quoted).joined(separator: ", "))]")
        }
        if !rule.conditions.isEmpty {
            let tests = rule.conditions.map { "\(quoted(path($0.path))): { \(test($0.test)) }" }
            members.append("when: { \(tests.joined(separator: ", ")) }")
        }
        return "{ \(members.joined(separator: ", ")) }"
    }

    static func path(_ steps: [OracleRule.Step]) -> String {
        if steps.isEmpty { return "." }
        return steps.map {
            switch $0 {
            case .element(let number): "[\(number)]"
            case .member(let name): "[\"\(name)\"]"
            }
        }.joined()
    }

    private static func test(_ test: OracleRule.Test) -> String {
        switch test {
        case .present(let wanted): "present: \(wanted)"
        case .oneOf(let constants): "oneOf: [\(constants.map(constant).joined(separator: ", "))]"
        case .prefix(let prefix): "prefix: \(quoted(prefix))"
        case .below(let folder): "below: \(folder)"
        case .range(let low, let high): "min: \(low), max: \(high)"
        }
    }

    private static func constant(_ constant: OracleRule.Constant) -> String {
        switch constant {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let text, _): text
        case .text(let text): quoted(text)
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
