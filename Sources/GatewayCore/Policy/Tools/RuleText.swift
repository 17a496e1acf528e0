// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Rules for people to read, in the words of the configuration.
public enum RuleText {
    /// A whole rule: `allow storage: call get, set; when [0].count max: 10`.
    public static func line(_ rule: AccessPolicy.Rule) -> String {
        var text = "\(rule.effect == .allow ? "allow" : "deny") \(rule.channel): \(names(rule))"
        if rule.direction == .fromServer { text += "; from server" }
        let conditions = conditions(rule)
        if !conditions.isEmpty { text += "; when " + conditions.joined(separator: ", ") }
        return text
    }

    /// What a rule is about: `call get, set, listen onDidChange`.
    public static func names(_ rule: AccessPolicy.Rule) -> String {
        let parts = [("call", rule.call), ("listen", rule.listen)].filter { !$0.1.isEmpty }
        let text = parts.map { "\($0.0) " + $0.1.map(\.description).joined(separator: ", ") }
        return text.isEmpty ? "nothing" : text.joined(separator: "; ")
    }

    /// The conditions of a rule, each as in `[0].count max: 10`.
    public static func conditions(_ rule: AccessPolicy.Rule) -> [String] {
        rule.conditions.flatMap { condition in condition.tests.map { "\(condition.path) \(text(of: $0))" } }
    }

    static func text(of test: ArgumentTest) -> String {
        switch test {
        case .present(let wanted): "present: \(wanted)"
        case .oneOf(let constants) where constants.count == 1: "equals: \(text(of: constants[0]))"
        case .oneOf(let constants): "oneOf: [\(constants.map(text).joined(separator: ", "))]"
        case .prefix(let prefixes): "prefix: " + list(prefixes)
        case .below(let folders): "below: " + list(folders.map(\.text))
        case .min(let bound): "min: \(text(of: bound))"
        case .max(let bound): "max: \(text(of: bound))"
        }
    }

    static func text(of number: Double) -> String {
        String(decoding: JSONText.write(IPCValue(number)) ?? [], as: UTF8.self)
    }

    private static func text(of constant: ArgumentConstant) -> String {
        switch constant {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let number): text(of: number)
        case .text(let bytes): text(of: bytes)
        }
    }

    private static func text(of bytes: [UInt8]) -> String {
        YAMLText.scalar(String(decoding: bytes, as: UTF8.self))
    }

    private static func list(_ texts: [[UInt8]]) -> String {
        let all = texts.map(text)
        return all.count == 1 ? all[0] : "[\(all.joined(separator: ", "))]"
    }
}
