// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore

extension OracleGenerator {
    /// A request that a rule may be about: what is random alone seldom meets a condition.
    mutating func request(aimedAt rule: OracleRule) -> OracleRequest {
        var asked = request()
        asked.direction = rule.direction
        if !rule.channel.contains("*") { asked.channel = rule.channel }
        asked.request = rule.call.isEmpty || (!rule.listen.isEmpty && chance(2)) ? .listen : .call
        let name = pick(asked.request == .call ? rule.call : rule.listen)
        if !name.contains("*") { asked.name = name }
        if let condition = rule.conditions.first {
            asked.argument = argument(with: value(for: condition.test), at: condition.path[...])
        }
        return asked
    }

    /// An argument with a value at a place, and little else.
    private func argument(with value: OracleValue, at path: ArraySlice<OracleRule.Step>) -> OracleValue {
        switch path.first {
        case nil:
            if case .uri = value { return .json(value) }
            return value
        case .element(let number)?:
            let elements = [OracleValue](repeating: .undefined, count: number)
            return .array(elements + [argument(with: value, at: path.dropFirst())])
        case .member?:
            return .json(json(with: value, at: path))
        }
    }

    private func json(with value: OracleValue, at path: ArraySlice<OracleRule.Step>) -> OracleValue {
        switch path.first {
        case nil: value
        case .element(let number)?:
            .array([OracleValue](repeating: .null, count: number) + [json(with: value, at: path.dropFirst())])
        case .member(let name)?:
            .object([(name == "scheme" ? "path" : name, json(with: value, at: path.dropFirst())), ("more", .null)])
        }
    }

    private mutating func value(for test: OracleRule.Test) -> OracleValue {
        switch test {
        case .present: return .bool(true)
        case .prefix(let prefix): return .text(prefix + pick(["", "x", "\u{301}"]))
        case .below(let folder):
            return chance(2) ? .text(folder + "/a") : .uri(path: "/srv/work/a", isHonest: !chance(4))
        case .range(let low, let high):
            return pick([.number("\(low)", Double(low)), .number("\(high)e0", Double(high))])
        case .oneOf(let constants):
            switch pick(constants) {
            case .null: return .null
            case .bool(let bool): return .bool(bool)
            case .number(let text, let value): return .number(text, value)
            case .text(let text): return .text(text)
            }
        }
    }
}
