// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("Rules in the configuration")
struct RulesConfigurationTests {
    private static let match = "match: { commonName: c }, context: c"

    private static func problems(_ sections: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try PolicyText.configuration(sections)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("come from roles and from the entry itself")
    func roles() throws {
        let clients = try PolicyText.configuration(
            """
            roles:
              reader:
                allow: [{ channel: storage, call: [get] }]
              careful:
                deny: [{ channel: storage, call: [drop] }]
            clients:
              - { \(Self.match), roles: [reader, careful], allow: [{ channel: storage, call: [set, drop] }] }
              - { match: { commonName: d }, context: d, roles: [reader] }
              - { match: { commonName: e }, context: e, roles: [reader] }
              - { match: { commonName: f }, context: f, roles: [careful] }
            """
        ).clients
        #expect(clients.map(\.roles) == [["reader", "careful"], ["reader"], ["reader"], ["careful"]])
        let may = clients.map { client in
            ["get", "set", "drop"].filter { client.policy.allowsCall("storage", $0) }
        }
        #expect(may == [["get", "set"], ["get"], ["get"], []])
        let decision = clients[0].policy.decision(.call, "storage", "drop")
        #expect(decision.rule.map { clients[0].policy[$0].place } == "roles.careful.deny[0]")
        #expect(decision.rule.map { clients[0].policy[$0].line } == 8)
    }

    @Test("with many mistakes are reported all at once, each with its line")
    func allAtOnce() {
        let problems = Self.problems(
            """
            roles:
              reader: { alow: [] }
              nothing: {}
            clients:
              - match: { commonName: c }
                context: c
                roles: [raeder, reader, reader]
                allow:
                  - { channel: a, call: [b], when: { "[x]": { present: true } } }
                  - { channel: a, call: [b], when: { a: { equal: 1 } } }
                  - { channel: a, call: [b], when: { a: { min: 3, max: 2 } } }
                  - { channel: a, call: [b], from: srever }
                deny:
                  - { channel: a }
                  - { call: [a], name: "" }
            """
        )
        let expected = [
            "gateway.yaml:5:13: roles.reader.alow: unknown key; did you mean 'allow'?",
            "gateway.yaml:6:12: roles.nothing: is empty",
            "gateway.yaml:10:13: clients[0].roles[0]: there is no role 'raeder'; did you mean 'reader'?",
            "gateway.yaml:10:29: clients[0].roles[2]: 'reader' is listed twice",
            "gateway.yaml:12:42: clients[0].allow[0].when: '[x]' is not a path into an argument",
            "gateway.yaml:13:47: clients[0].allow[1].when.a.equal: unknown key; did you mean 'equals'?",
            "gateway.yaml:14:45: clients[0].allow[2].when.a: no number is at least 3.0 and at most 2.0",
            "gateway.yaml:15:40: clients[0].allow[3].from: expected one of client, server, not 'srever'",
            "gateway.yaml:17:9: clients[0].deny[0]: denies nothing",
            "gateway.yaml:18:9: clients[0].deny[1]: 'channel' is missing",
            "gateway.yaml:18:28: clients[0].deny[1].name: is empty",
        ]
        for text in expected {
            #expect(problems.contains { $0.contains(text) }, "missing: \(text)\n\(problems.joined(separator: "\n"))")
        }
    }

    @Test(
        "refuse what would be a guess",
        arguments: [
            ("when: {}", "is empty"), ("when: []", "expected a mapping"), ("when: { a: {} }", "tests nothing"),
            ("when: { a: b }", "expected a mapping"), ("when: { a: { equals: [b] } }", "expected a text, a number"),
            ("when: { a: { equals: yes } }", "put it in quotes"), ("when: { a: { equals: 0x10 } }", "put it in quotes"),
            ("when: { a: { equals: 010 } }", "put it in quotes"), ("when: { a: { equals: .5 } }", "put it in quotes"),
            ("when: { a: { equals: 1_000 } }", "put it in quotes"), ("when: { a: { equals: ~ } }", "put it in quotes"),
            ("when: { a: { equals: 2026-11-23 } }", "put it in quotes"),
            ("when: { a: { equals: }}", "put it in quotes"),
            ("when: { a: { min: 1e999 } }", "expected a number"), ("when: { a: { max: \"3\" } }", "expected a number"),
            ("when: { a: { oneOf: x } }", "expected a list"), ("when: { a: { oneOf: [] } }", "nothing would pass"),
            ("when: { a: { prefix: [] } }", "nothing would pass"), ("when: { a: { prefix: \"\" } }", "is empty"),
            ("when: { a: { below: srv } }", "an absolute path"), ("when: { a: { below: [/a, b] } }", "below[1]"),
            ("when: { a: { present: yes } }", "true or false"),
            ("when: { a: { present: false, min: 1 } }", "passes no other test"),
            ("when: { \"\": { present: true } }", "the argument itself is \".\""),
            ("when: { a..b: { present: true } }", "a name is missing"),
            ("when: { .a: { present: true } }", "is missing"),
            ("when: { \"a[0\": { present: true } }", "not closed"), ("when: { \"[01]\": { min: 1 } }", "whole number"),
            ("when: { \"[-1]\": { min: 1 } }", "whole number"), ("when: { \"[0]a\": { min: 1 } }", "a dot is missing"),
            ("when: { \"a b\": { min: 1 } }", "a dot is missing"), ("when: { '[\"a]': { min: 1 } }", "not closed"),
            ("when: { '[\"\\x\"]': { min: 1 } }", "as in JSON"),
            ("when: { a: { min: 1 }, a: { max: 1 } }", "more than once"),
            ("name: \"a\\u0007\"", "no control characters"), ("from: [server]", "one of client, server"),
        ]
    )
    func refuses(member: String, message: String) {
        let problems = Self.problems("clients: [{ \(Self.match), allow: [{ channel: a, call: [b], \(member) }] }]")
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test("have names that say which rule")
    func names() {
        let problems = Self.problems(
            """
            roles: { r: { allow: [{ name: x, channel: a, call: [b] }] } }
            clients: [{ \(Self.match), roles: [r], deny: [{ name: x, channel: a, call: [c] }] }]
            """
        )
        #expect(problems.contains { $0.contains("another rule, on line 4, is called 'x' too") }, "\(problems)")
    }

    @Test("without effect are warned of")
    func warnings() throws {
        let configuration = try PolicyText.configuration(
            """
            roles:
              unused: { allow: [{ channel: a, call: [b] }] }
              reader: { allow: [{ channel: a, call: [b] }, { channel: a, call: ["*"] }, { channel: a, call: [b] }] }
              no: { deny: [{ channel: "a*", call: ["*"], listen: [x] }] }
            clients:
              - { \(Self.match), roles: [reader, no], allow: [{ channel: ab, call: [c] }, { channel: b, call: [c] }] }
              - { match: { commonName: d }, context: d }
            """
        )
        let expected = [
            "gateway.yaml:5:3: roles.unused: no client entry has this role",
            "gateway.yaml:6:77: roles.reader.allow[2]: says the same as the rule on line 6",
            "gateway.yaml:6: roles.reader.allow[0]: is not needed: all of it is allowed by roles.reader.allow[1], on line 6",
            "gateway.yaml:6: roles.reader.allow[2]: is not needed: all of it is allowed by roles.reader.allow[1], on line 6",
            "gateway.yaml:9: clients[0].allow[0]: never applies: all of it is denied by roles.no.deny[0], on line 7",
            "gateway.yaml:10:5: clients[1]: there is no allow: list and no role",
        ]
        let warnings = configuration.warnings.map(\.description)
        #expect(warnings.count == expected.count, "\(warnings)")
        for text in expected {
            #expect(warnings.contains { $0.contains(text) }, "missing: \(text)\n\(warnings.joined(separator: "\n"))")
        }
    }
}
