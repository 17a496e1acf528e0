// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("An access policy")
struct AccessPolicyTests {
    @Test("without rules denies everything")
    func empty() {
        for request in AccessPolicy.Request.allCases {
            for direction in AccessPolicy.Direction.allCases {
                let decision = AccessPolicy().decision(request, from: direction, "storage", "get")
                #expect(decision == AccessPolicy.Decision(isAllowed: false, rule: nil))
            }
        }
    }

    @Test("keeps the right to call and the right to listen apart")
    func rights() throws {
        let policy = try PolicyText.policy(allow: "[{ channel: storage, call: [get], listen: [onDidChange] }]")
        #expect(policy.decision(.call, "storage", "get").isAllowed)
        #expect(policy.decision(.listen, "storage", "onDidChange").isAllowed)
        #expect(!policy.decision(.call, "storage", "onDidChange").isAllowed)
        #expect(!policy.decision(.listen, "storage", "get").isAllowed)
        #expect(!policy.decision(.call, "storage", "set").isAllowed)
        #expect(!policy.decision(.call, "storage2", "get").isAllowed)
    }

    @Test("keeps what the client asks and what the server asks apart")
    func directions() throws {
        let everything = "channel: \"*\", call: [\"*\"], listen: [\"*\"]"
        for (rule, direction) in [
            ("{ \(everything) }", AccessPolicy.Direction.fromClient), ("{ from: client, \(everything) }", .fromClient),
            ("{ from: server, \(everything) }", .fromServer),
        ] {
            let policy = try PolicyText.policy(allow: "[\(rule)]")
            for asking in AccessPolicy.Direction.allCases {
                #expect(policy.decision(.call, from: asking, "window", "show").isAllowed == (asking == direction))
                #expect(policy.decision(.listen, from: asking, "window", "onShow").isAllowed == (asking == direction))
            }
        }
    }

    @Test("lets a denial win, whatever the order and however precise the other rule is")
    func denials() throws {
        let policy = try PolicyText.policy(
            allow: "[{ channel: storage, call: [drop, get] }, { channel: \"*\", call: [\"*\"] }]",
            deny: "[{ channel: \"st*\", call: [\"d*\"] }]"
        )
        #expect(!policy.allowsCall("storage", "drop"))
        #expect(!policy.allowsCall("store", "delete"))
        #expect(policy.allowsCall("storage", "get"))
        #expect(policy.allowsCall("log", "drop"))
    }

    @Test("names the rule that decided")
    func decidingRule() throws {
        let policy = try PolicyText.policy(
            allow: "[{ name: read, channel: storage, call: [get] }, { channel: storage, call: [\"*\"] }]",
            deny: "[{ name: no drops, channel: storage, call: [drop] }]"
        )
        func rule(_ command: String) throws -> AccessPolicy.Rule? {
            policy.decision(.call, "storage", command).rule.map { policy[$0] }
        }
        #expect(try rule("get")?.name == "read")
        #expect(try rule("set")?.place == "clients[0].allow[1]")
        #expect(try rule("set")?.line == 4)
        #expect(try rule("drop")?.name == "no drops")
        #expect(policy.decision(.call, "log", "get").rule == nil)
    }

    @Test("compares names as bytes: two spellings of a letter are two channels, with and without stars")
    func spellings() throws {
        for pattern in ["caf\u{e9}", "caf\u{e9}*", "*\u{e9}"] {
            let policy = try PolicyText.policy(allow: "[{ channel: \"\(pattern)\", call: [\"\(pattern)\"] }]")
            #expect(policy.allowsCall("caf\u{e9}", "caf\u{e9}"))
            #expect(!policy.allowsCall("cafe\u{301}", "caf\u{e9}"))
            #expect(!policy.allowsCall("caf\u{e9}", "cafe\u{301}"))
        }
    }

    @Test("takes a star in a name of a request for a star, and an escaped one in a rule too")
    func stars() throws {
        let policy = try PolicyText.policy(allow: "[{ channel: '\\*', call: [get] }, { channel: log, call: ['a\\*'] }]")
        #expect(policy.allowsCall("*", "get"))
        #expect(!policy.allowsCall("storage", "get"))
        #expect(policy.allowsCall("log", "a*"))
        #expect(!policy.allowsCall("log", "ab"))
    }

    @Test("denies names of more than 4,096 bytes, which every pattern would have to be held against")
    func longNames() throws {
        let policy = try PolicyText.policy(allow: "[{ channel: \"*\", call: [\"*\"] }]")
        let name = String(repeating: "n", count: 4096)
        #expect(policy.allowsCall(name, name))
        #expect(!policy.allowsCall(name + "n", "get"))
        #expect(!policy.allowsCall("storage", name + "n"))
    }

    @Test("looks at an argument only when a rule with conditions could decide")
    func looking() throws {
        // Broken bytes stand for an argument nobody may look at: whoever does decides otherwise.
        let broken: [UInt8] = [5, 0x80]
        let policy = try PolicyText.policy(
            allow: "[{ channel: a, call: [\"*\"] }, { channel: b, call: [x], when: { . : { present: true } } }, "
                + "{ channel: a, call: [x], when: { . : { present: true } } }]",
            deny: "[{ channel: a, call: [d] }, { channel: a, call: [d, e], when: { . : { present: true } } }]"
        )
        #expect(policy.allowsCall("a", "x", broken))
        #expect(policy.decision(.call, "a", "d", broken).rule.map { policy[$0].conditions.isEmpty } == true)
        #expect(!policy.allowsCall("a", "e", broken))
        #expect(!policy.allowsCall("b", "x", broken))
    }
}
