// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport

/// Makes policies and requests at random, out of few names, so that they have to do with each other.
struct OracleGenerator {
    var random: SeededGenerator

    private static let channels = ["storage", "stor", "log", "logger", "caf\u{e9}", "cafe\u{301}", "*", ""]
    private static let channelPatterns = [
        "storage", "stor", "log", "logger", "caf\u{e9}", "cafe\u{301}", "*", "**", "sto*", "log*", "l*g", "*r", "caf*",
        "*e", "\\*", "s*r*e",
    ]
    private static let names = ["get", "getAll", "set", "drop", "onDidChange", "*"]
    private static let namePatterns = [
        "get", "getAll", "set", "drop", "onDidChange", "*", "**", "g*", "get*", "*t", "\\*",
    ]
    private static let keys = [
        "path", "path", "path", "depth", "scheme", "odd key", "caf\u{e9}", "cafe\u{301}", "__proto__",
    ]
    private static let texts = [
        "", "a", "ab", "caf\u{e9}", "cafe\u{301}", "/srv", "/srv/work", "/srv/work/a", "/srv/work/../x", "//srv//work/",
        "srv/work", "/srv/workshop", "/srv/./work/b", "/srv/work/\u{0}", "5", "true",
    ]
    private static let numbers: [(String, Double)] = [
        ("0", 0), ("-0", 0), ("5", 5), ("5.0", 5), ("1e2", 100), ("100", 100), ("-7", -7),
        ("2147483648", 2_147_483_648),
        ("9007199254740993", 9_007_199_254_740_992), ("1e400", .infinity), ("0.5", 0.5),
    ]

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }

    mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
    mutating func some<Element>(_ range: ClosedRange<Int>, _ make: (inout OracleGenerator) -> Element) -> [Element] {
        (0..<Int.random(in: range, using: &random)).map { _ in make(&self) }
    }

    // MARK: Rules

    mutating func rule(_ name: String) -> OracleRule {
        var conditions = chance(2) ? some(1...2) { (path: $0.path(), test: $0.test()) } : []
        // In YAML a place is a key, and stands once.
        if conditions.count == 2, PolicyWriter.path(conditions[0].path) == PolicyWriter.path(conditions[1].path) {
            conditions.removeLast()
        }
        return OracleRule(
            name: name,
            denies: chance(3),
            direction: chance(4) ? .fromServer : .fromClient,
            channel: pick(Self.channelPatterns),
            call: some(0...2) { $0.pick(Self.namePatterns) },
            listen: some(0...2) { $0.pick(Self.namePatterns) },
            conditions: conditions
        )
    }

    private mutating func path() -> [OracleRule.Step] {
        some(0...2) { $0.chance(2) ? .element($0.pick([0, 0, 1, 2])) : .member($0.pick(Self.keys)) }
    }

    private mutating func test() -> OracleRule.Test {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .present(chance(2))
        case 1, 2: .oneOf(some(1...3) { $0.constant() })
        case 3: .prefix(pick(Self.texts.filter { !$0.isEmpty && !$0.utf8.contains(0) }))
        case 4: .below(pick(["/", "/srv", "/srv/work", "/srv/work/", "/srv/x/../work"]))
        default: .range(pick([-10, 0, 5]), pick([5, 100, 1_000_000]))
        }
    }

    private mutating func constant() -> OracleRule.Constant {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .null
        case 1: return .bool(chance(2))
        case 2:
            let number = pick(Self.numbers.filter { $0.1.isFinite })
            return .number(number.0, number.1)
        default: return .text(pick(Self.texts.filter { !$0.isEmpty && !$0.utf8.contains(0) }))
        }
    }

    // MARK: Requests

    mutating func request() -> OracleRequest {
        OracleRequest(
            request: chance(2) ? .call : .listen,
            direction: chance(4) ? .fromServer : .fromClient,
            channel: pick(Self.channels),
            name: pick(Self.names),
            argument: argument(depth: 0)
        )
    }

    private mutating func argument(depth: Int) -> OracleValue {
        switch Int.random(in: depth < 2 ? 0..<10 : 4..<10, using: &random) {
        case 0...2: .array(some(0...3) { $0.argument(depth: depth + 1) })
        case 3...6: .json(json(depth: 0))
        case 7: .undefined
        case 8: .buffer
        default: scalar()
        }
    }

    private mutating func scalar() -> OracleValue {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .null
        case 1: return .bool(chance(2))
        case 2:
            let number = pick(Self.numbers)
            return .number(number.0, number.1)
        default: return .text(pick(Self.texts))
        }
    }

    private mutating func json(depth: Int) -> OracleValue {
        switch Int.random(in: depth < 2 ? 0..<9 : 6..<9, using: &random) {
        case 0...3:
            let keys = chance(6) ? Self.keys : Array(Self.keys.dropLast())
            var members = some(0...4) { (key: $0.pick(keys), value: $0.json(depth: depth + 1)) }
            // Without this most objects would have some key twice. One with a scheme would be taken for a URI.
            if !chance(5) {
                var seen: Set<[UInt8]> = []
                members.removeAll { !seen.insert(Array($0.key.utf8)).inserted }
            }
            members.removeAll { $0.key == "scheme" }
            return .object(members)
        case 4: return .array(some(0...3) { $0.json(depth: depth + 1) })
        case 5:
            let path = pick(["/srv/work/a", "/srv/work/../x", "/srv/x/../work/b", "/etc"])
            let isHonest = chance(2)
            // The contradictions of the tests say /etc.
            return .uri(path: isHonest || path != "/etc" ? path : "/srv", isHonest: isHonest)
        default: return scalar()
        }
    }
}
