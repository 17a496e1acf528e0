// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import Testing

@Suite("A condition on the argument")
struct ConditionTests {
    /// What a condition can come to: it lets pass what it should, or denies, or does both as a precaution.
    enum Outcome: Equatable {
        case holds
        case fails
        case undecided
    }

    /// A condition, an argument and what comes of it.
    struct Row: Sendable, CustomTestStringConvertible {
        var condition: String
        var argument: [UInt8]
        var outcome: Outcome

        init(_ condition: String, _ argument: [UInt8], _ outcome: Outcome) {
            self.condition = condition
            self.argument = argument
            self.outcome = outcome
        }

        var testDescription: String { "\(condition) on \(String(decoding: argument, as: UTF8.self).debugDescription)" }
    }

    /// The outcome, seen from outside: by a rule that allows, and by a rule that denies.
    static func outcome(_ condition: String, _ argument: [UInt8]) throws -> Outcome? {
        let rule = "{ channel: c, call: [x], when: { \(condition) } }"
        let allows = try PolicyText.policy(allow: "[\(rule)]").allowsCall("c", "x", argument)
        let denies = try !PolicyText.policy(allow: "[{ channel: c, call: [x] }]", deny: "[\(rule)]")
            .allowsCall("c", "x", argument)
        switch (allows, denies) {
        case (true, true): return .holds
        case (false, false): return .fails
        case (false, true): return .undecided
        case (true, false): return nil
        }
    }

    private static let text = PolicyText.text
    private static let json = PolicyText.json
    private static func array(_ elements: [UInt8]...) -> [UInt8] {
        ValueEncoder.encode(.array([])).prefix(1) + [UInt8(elements.count)] + elements.flatMap(\.self)
    }

    static let places: [Row] = [
        Row(".: { present: true }", [0], .fails), Row(".: { present: false }", [0], .holds),
        Row(".: { equals: a }", text("a"), .holds), Row("\"[0]\": { equals: a }", array(text("a")), .holds),
        Row("\"[1]\": { equals: a }", array(text("a")), .fails),
        Row("\"[1]\": { present: false }", array(text("a")), .holds),
        Row("\"[0][1]\": { equals: b }", array(array(text("a"), text("b"))), .holds),
        Row("\"[0].path\": { equals: a }", array(json(#"{"path":"a"}"#)), .holds),
        Row("\"[0].path\": { equals: a }", json(#"[{"path":"a"}]"#), .holds),
        Row("options.depth: { equals: 3 }", json(#"{"options":{"depth":3}}"#), .holds),
        Row("options.depth: { equals: 3 }", json(#"{"options":{}}"#), .fails),
        Row("options.depth: { equals: 3 }", json(#"{"options":null}"#), .fails),
        Row("\"list[1]\": { equals: 3 }", json(#"{"list":[1,3]}"#), .holds),
        Row(#"'["odd key"]["a\"b"]': { equals: 3 }"#, json(#"{"odd key":{"a\"b":3}}"#), .holds),
        Row("caf\u{e9}: { present: true }", json("{\"caf\u{e9}\":1}"), .holds),
        Row("caf\u{e9}: { present: true }", json("{\"cafe\u{301}\":1}"), .fails),
        // A step that does not fit: JavaScript has members of everything.
        Row("\"[0]\": { equals: a }", json(#"{"0":"a","length":1}"#), .undecided),
        Row("length: { min: 1 }", array(text("a")), .undecided), Row("\"[0]\": { equals: a }", text("a"), .undecided),
        Row("path: { equals: a }", text("a"), .undecided), Row("\"[0]\": { present: false }", [2, 1, 7], .undecided),
        Row("\"[0].path\": { equals: a }", array([2, 1, 7]), .undecided),
    ]

    static let kinds: [Row] = [
        Row(".: { present: true }", json("null"), .holds), Row(".: { present: true }", [2, 0], .holds),
        Row(".: { equals: null }", json("null"), .holds), Row(".: { equals: \"null\" }", json("null"), .fails),
        Row(".: { equals: true }", json("true"), .holds), Row(".: { equals: true }", json("false"), .fails),
        Row(".: { equals: true }", text("true"), .undecided), Row(".: { equals: 5 }", [6, 5], .holds),
        Row(".: { equals: 5 }", text("5"), .undecided), Row(".: { equals: \"5\" }", text("5"), .holds),
        Row(".: { equals: a }", array(text("a")), .undecided), Row(".: { equals: a }", [2, 1, 97], .undecided),
        Row(".: { equals: a }", json("{}"), .undecided), Row(".: { equals: a }", json("\"a\""), .holds),
        Row(".: { oneOf: [a, 5] }", text("b"), .fails), Row(".: { oneOf: [a, 5] }", [6, 5], .holds),
        Row(".: { oneOf: [a, 5] }", json("true"), .undecided), Row(".: { oneOf: [a, null] }", json("null"), .holds),
        Row(".: { prefix: ab }", text("abc"), .holds), Row(".: { prefix: ab }", text("a"), .fails),
        Row(".: { prefix: [x, ab] }", text("abc"), .holds), Row(".: { prefix: ab }", [0], .fails),
        Row(".: { prefix: ab }", json("null"), .fails), Row(".: { prefix: ab }", [6, 5], .undecided),
        Row(".: { prefix: cafe }", text("caf\u{e9}"), .fails), Row(".: { prefix: e }", text("e\u{301}"), .holds),
        Row(".: { min: 1, max: 3 }", [6, 3], .holds), Row(".: { min: 1, max: 3 }", [6, 4], .fails),
        Row(".: { min: 1 }", [0], .fails), Row(".: { min: 1 }", text("2"), .undecided),
        Row(".: { min: 1, max: 3, oneOf: [2, 3] }", [6, 1], .fails),
    ]

    static let numbers: [Row] = [
        Row(".: { equals: 100 }", json("1e2"), .holds), Row(".: { equals: 100 }", json("100.0"), .holds),
        Row(".: { equals: 100 }", [6, 100], .holds), Row(".: { equals: 1E2 }", [6, 100], .holds),
        Row(".: { equals: 0 }", json("-0"), .holds), Row(".: { equals: -0 }", [6, 0], .holds),
        Row(".: { min: 0 }", json("-0.0"), .holds), Row(".: { max: 0 }", json("1e-400"), .holds),
        Row(".: { min: 0 }", json("1e400"), .holds), Row(".: { max: 9e99 }", json("1e400"), .fails),
        // To JavaScript these are one number.
        Row(".: { equals: 9007199254740992 }", json("9007199254740993"), .holds),
        Row(".: { max: 2147483647 }", json("2147483648"), .fails),
        Row(".: { equals: -1 }", [6, 0xff, 0xff, 0xff, 0xff, 0x0f], .holds),
        Row(".: { equals: 0.1 }", json("0.1000000000000000055511151231257827"), .holds),
    ]

    @Test("finds its place in arrays and objects, of the encoding and of JSON", arguments: places)
    func place(row: Row) throws {
        #expect(try Self.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("tells kinds of values apart, and is undecided about one it was not made for", arguments: kinds)
    func kind(row: Row) throws {
        #expect(try Self.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("compares numbers as a JavaScript server has them, however they are written", arguments: numbers)
    func number(row: Row) throws {
        #expect(try Self.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("holds only if all its tests do, and a rule only if all its conditions do")
    func conjunction() throws {
        let both = "\"[0]\": { prefix: a }, \"[1]\": { max: 3 }"
        #expect(try Self.outcome(both, Self.array(Self.text("ab"), [6, 3])) == .holds)
        #expect(try Self.outcome(both, Self.array(Self.text("ab"), [6, 4])) == .fails)
        #expect(try Self.outcome(both, Self.array(Self.text("b"), [6, 3])) == .fails)
        // What fails for certain fails, whatever cannot be said of the rest.
        #expect(try Self.outcome(both, Self.array(Self.text("ab"), Self.text("3"))) == .undecided)
        #expect(try Self.outcome(both, Self.array(Self.text("b"), Self.text("3"))) == .fails)
    }
}
