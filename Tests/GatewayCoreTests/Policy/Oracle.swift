// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore

/// A rule as the oracle has it.
struct OracleRule {
    enum Step {
        case element(Int)
        case member(String)
    }

    enum Constant {
        case null
        case bool(Bool)
        case number(String, Double)
        case text(String)
    }

    enum Test {
        case present(Bool)
        case oneOf([Constant])
        case prefix(String)
        case below(String)
        case range(Int, Int)
    }

    var name: String
    var denies: Bool
    var direction: AccessPolicy.Direction
    var channel: String
    var call: [String]
    var listen: [String]
    var conditions: [(path: [Step], test: Test)]
}

/// What is asked.
struct OracleRequest {
    var request: AccessPolicy.Request
    var direction: AccessPolicy.Direction
    var channel: String
    var name: String
    var argument: OracleValue
}

/// Judges requests by going through all rules, one after another, in the plainest way.
enum Oracle {
    /// The names of the rules that allow, and of those that deny, among all that are about a request.
    static func judge(_ asked: OracleRequest, _ rules: [OracleRule]) -> (allow: Set<String>, deny: Set<String>) {
        var allow: Set<String> = []
        var deny: Set<String> = []
        for rule in rules where rule.direction == asked.direction && matches(rule.channel, asked.channel) {
            let patterns = asked.request == .call ? rule.call : rule.listen
            guard patterns.contains(where: { matches($0, asked.name) }) else { continue }
            let results = rule.conditions.map { holds($0.test, look($0.path[...], asked.argument)) }
            let isSure = results.allSatisfy { $0 == true }
            let isOut = results.contains { $0 == false }
            if rule.denies, !isOut { deny.insert(rule.name) }
            if !rule.denies, isSure { allow.insert(rule.name) }
        }
        return (allow, deny)
    }

    // MARK: Patterns

    private static func matches(_ pattern: String, _ text: String) -> Bool {
        matches(Array(pattern.utf8)[...], Array(text.utf8)[...])
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            return matches(pattern.dropFirst(), text) || (!text.isEmpty && matches(pattern, text.dropFirst()))
        }
        let literal = first == UInt8(ascii: "\\") ? pattern.dropFirst() : pattern
        return text.first == literal.first && matches(literal.dropFirst(), text.dropFirst())
    }

    // MARK: Places

    private enum Found {
        case nothing
        case unknown
        case value(OracleValue)
    }

    private static func look(_ path: ArraySlice<OracleRule.Step>, _ value: OracleValue) -> Found {
        if case .json(let inner) = value { return inner.isAmbiguous ? .unknown : look(path, inner) }
        switch (value, path.first) {
        case (.undefined, _): return .nothing
        case (_, nil): return .value(value)
        case (.null, _): return .nothing
        case (.array(let elements), .element(let number)?):
            return number < elements.count ? look(path.dropFirst(), elements[number]) : .nothing
        case (.object(let members), .member(let name)?):
            guard let member = members.first(where: { Array($0.key.utf8) == Array(name.utf8) }) else { return .nothing }
            return look(path.dropFirst(), member.value)
        case (.uri(let path_, let isHonest), .member(let name)?):
            guard ["path", "scheme"].contains(name) else { return .nothing }
            return isHonest ? look(path.dropFirst(), .text(name == "path" ? path_ : "file")) : .unknown
        default: return .unknown
        }
    }

    // MARK: Tests

    /// Whether a test holds; nil when nobody can say.
    private static func holds(_ test: OracleRule.Test, _ found: Found) -> Bool? {
        let value: OracleValue
        switch found {
        case .unknown: return nil
        case .nothing: value = .undefined
        case .value(let found): value = found
        }
        switch (test, value) {
        case (.present(let wanted), .undefined): return !wanted
        case (.present(let wanted), _): return wanted
        case (_, .undefined): return false
        case (.oneOf(let constants), .null):
            return constants.contains { if case .null = $0 { true } else { false } }
        case (_, .null): return false
        case (.oneOf(let constants), _): return isOne(value, constants)
        case (.prefix(let prefix), .text(let text)): return Array(text.utf8).starts(with: Array(prefix.utf8))
        case (.below(let folder), .text(let path)), (.below(let folder), .uri(let path, isHonest: true)):
            return isBelow(path, folder)
        case (.range(let low, let high), .number(_, let number)):
            return number >= Double(low) && number <= Double(high)
        default: return nil
        }
    }

    private static func isOne(_ value: OracleValue, _ constants: [OracleRule.Constant]) -> Bool? {
        var sawSameKind = false
        for constant in constants {
            switch (constant, value) {
            case (.bool(let left), .bool(let right)) where left == right: return true
            case (.number(_, let left), .number(_, let right)) where left == right: return true
            case (.text(let left), .text(let right)) where Array(left.utf8) == Array(right.utf8): return true
            case (.bool, .bool), (.number, .number), (.text, .text): sawSameKind = true
            default: break
            }
        }
        return sawSameKind ? false : nil
    }

    private static func isBelow(_ path: String, _ folder: String) -> Bool? {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else { return nil }
        func parts(_ path: String) -> [[UInt8]] {
            var parts: [[UInt8]] = []
            for part in path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init) {
                switch String(decoding: part, as: UTF8.self) {
                case ".": continue
                case "..": _ = parts.popLast()
                default: parts.append(part)
                }
            }
            return parts
        }
        let wanted = parts(folder)
        return Array(parts(path).prefix(wanted.count)) == wanted
    }
}
