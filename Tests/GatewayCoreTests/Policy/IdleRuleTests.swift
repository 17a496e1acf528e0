// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("Rules that change nothing, and entries that take in too many")
struct IdleRuleTests {
    private static let match = "match: { commonName: c }, context: c"

    private static func warnings(_ sections: String) throws -> [String] {
        try PolicyText.configuration(sections).warnings.map(\.description)
    }

    private static func warnings(allow: String) throws -> [String] {
        try warnings("clients: [{ \(match), allow: [\(allow)] }]")
    }

    @Test(
        "have conditions that no argument passes",
        arguments: [
            ("{ \"[0]\": { equals: abc, prefix: b } }", "[0]: its value passes no other test"),
            ("{ \"[0]\": { oneOf: [1, 2], min: 3 } }", "[0]: none of its values passes the other tests"),
            ("{ \"[0]\": { equals: null, below: /srv } }", "[0]: its value passes no other test"),
            ("{ \"[0]\": { equals: a }, '[0]': { present: true }, \"[0].b\": { present: true } }", "more than once"),
            ("{ a: { min: 3, prefix: b } }", "a number is no text"),
            ("{ a: { below: /srv, max: 3 } }", "a number is no text"),
            ("{ a: { below: /srv, prefix: \"srv/\" } }", "paths are absolute"),
            ("{ a: { min: 3 }, '[\"a\"]': { max: 2 } }", "no number is at least 3.0 and at most 2.0"),
            ("{ a: { equals: x }, '[\"a\"]': { present: false } }", "what is not present passes no other test"),
            ("{ \"[0]\": { present: true }, a: { present: true } }", "'[0]' and 'a' cannot both be there"),
            ("{ a: { prefix: x }, a.b: { min: 1 } }", "'a' and 'a.b' cannot both be there"),
        ]
    )
    func contradictions(when: String, message: String) throws {
        do {
            let warnings = try Self.warnings(allow: "{ channel: a, call: [b], when: \(when) }")
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains(message) == true, "\(warnings)")
        } catch let error as ConfigurationError {
            #expect(error.description.contains(message), "\(error)")
        }
    }

    @Test(
        "are not those whose conditions can hold",
        arguments: [
            "{ \"[0]\": { equals: abc, prefix: a } }", "{ \"[0]\": { oneOf: [1, 5], min: 3 } }",
            "{ \"[0]\": { below: /srv }, \"[0].scheme\": { equals: file } }",
            "{ \"[0]\": { prefix: \"/\", below: /srv } }", "{ a: { present: false }, \"[0]\": { present: true } }",
            "{ a: { prefix: x }, a.b: { present: false } }", "{ a: { min: 1, max: 1 } }",
            "{ a: { equals: null, present: true } }", "{ \"[0].a\": { min: 1 }, \"[1].b\": { min: 1 } }",
        ]
    )
    func possible(when: String) throws {
        let warnings = try Self.warnings(allow: "{ channel: a, call: [b], when: \(when) }")
        #expect(warnings.isEmpty)
    }

    @Test(
        "are allowed by another rule without conditions anyway",
        arguments: [
            ("{ channel: a, call: [b] }, { channel: a, call: [b, c] }", 1),
            ("{ channel: a, call: [b] }, { channel: \"*\", call: [b] }", 1),
            ("{ channel: a, call: [b], when: { x: { min: 1 } } }, { channel: a, call: [\"*\"] }", 1),
            ("{ channel: a, call: [b] }, { channel: a, call: [\"*\"], when: { x: { min: 1 } } }", 0),
            ("{ channel: a, call: [b], from: server }, { channel: a, call: [\"*\"] }", 0),
            ("{ channel: a, call: [b], listen: [c] }, { channel: a, call: [\"*\"] }", 0),
            ("{ channel: a, call: [b] }, { channel: b, call: [b] }", 0),
            ("{ channel: \"a*\", call: [b] }, { channel: \"*a\", call: [b] }", 0),
        ]
    )
    func redundant(allow: String, count: Int) throws {
        let warnings = try Self.warnings(allow: allow)
        #expect(warnings.count == count, "\(warnings)")
        #expect(warnings.allSatisfy { $0.contains("clients[0].allow[0]: is not needed") && $0.contains("allow[1]") })
    }

    @Test("are of a role, which names the rule that makes another one needless; roles may overlap")
    func roles() throws {
        let warnings = try Self.warnings(
            """
            roles:
              all: { allow: [{ channel: "*", call: ["*"] }] }
              some: { allow: [{ channel: a, call: [b] }] }
            clients: [{ \(Self.match), roles: [some, all], allow: [{ channel: c, call: [d] }] }]
            """
        )
        #expect(warnings.count == 1)
        #expect(
            warnings.first?.contains("clients[0].allow[0]: is not needed: all of it is allowed by roles.all") == true
        )
    }

    @Test("are two that say the same in another order: of these only the later one")
    func mutual() throws {
        let warnings = try Self.warnings(
            allow: "{ channel: a, call: [add, whoami] }, { channel: a, call: [whoami, add] }"
        )
        #expect(warnings.count == 1, "\(warnings)")
        #expect(
            warnings.first?.contains("allow[1]: is not needed: all of it is allowed by clients[0].allow[0]") == true
        )
    }

    @Test("deny what cannot be judged, if no argument passes their conditions")
    func denial() throws {
        let rule = "{ channel: a, call: [b], when: { \"[0]\": { equals: abc, prefix: b } } }"
        let warnings = try Self.warnings(
            "clients: [{ \(Self.match), allow: [{ channel: a, call: [b] }], deny: [\(rule)] }]"
        )
        #expect(warnings.count == 1, "\(warnings)")
        #expect(warnings.first?.contains("denies only what cannot be judged: [0]: its value") == true)
    }

    @Test("are about no command and no event")
    func empty() throws {
        let warnings = try Self.warnings(allow: "{ channel: a, call: [] }")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("never applies: call: and listen: are empty") == true)
    }

    // MARK: Entries

    @Test(
        "match everybody, or anybody's name",
        arguments: [
            ("commonName: \"*\"", "everybody who has a certificate with a commonName"),
            ("uri: \"**\"", "everybody who has a certificate with a uri"),
            ("uri: \"spiffe://**\"", "matches every host, or trust domain"),
            ("uri: \"spiffe://*/**\"", "matches every host, or trust domain"),
            ("fingerprint: abcd", "matches nobody: a fingerprint is 64"),
            ("uri: \"spiffe://example.org/**\"", nil), ("commonName: \"dev-*\"", nil),
            ("uri: \"spiffe://example.org/dev/*\", commonName: \"*\"", nil),
            ("uri: [\"spiffe://a/x\", \"spiffe://b/x\"]", nil),
            ("uid: \"*\"", "matches every local client with a uid that can open the socket"),
        ] as [(String, String?)]
    )
    func entries(match: String, message: String?) throws {
        let yaml = """
            listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: s } }
            identity: { from: [uri, commonName, fingerprint] }
            clients: [{ match: { \(match) }, context: c, allow: [{ channel: a, call: [b] }] }]
            """
        let warnings = try GatewayConfiguration(yaml: yaml, file: "g.yaml").warnings.map(\.description)
            .filter { !$0.contains("no listener") }
        #expect(warnings.count == (message == nil ? 0 : 1), "\(warnings)")
        if let message { #expect(warnings.first?.contains(message) == true, "\(warnings)") }
    }

    @Test(
        "give many clients everything, or any context",
        arguments: [
            (
                "commonName: \"dev-*\"", "c", "channel: \"*\", call: [\"*\"]",
                "may call everything, by clients[0].allow[0]"
            ),
            ("commonName: dev", "c", "channel: \"*\", call: [\"*\"]", nil),
            ("commonName: \"dev-*\"", "c", "channel: \"a*\", call: [\"*\"]", nil),
            ("commonName: \"dev-*\"", "c", "channel: \"*\", call: [get]", nil),
            ("commonName: \"dev-*\"", "{ announced: [\"*\"] }", "channel: a, call: [b]", "may announce any context"),
            ("commonName: \"dev-*\"", "{ announced: { id: [\"*\"] } }", "channel: a, call: [b]", "may announce any"),
            ("commonName: \"dev-*\"", "{ announced: { id: [\"*\"], x: [y] } }", "channel: a, call: [b]", nil),
            ("commonName: \"dev-*\"", "{ announced: [\"dev:*\"] }", "channel: a, call: [b]", nil),
            ("commonName: dev", "{ announced: [\"*\"] }", "channel: a, call: [b]", nil),
            ("gid: \"27\"", "{ announced: [\"*\"] }", "channel: a, call: [b]", "may announce any context"),
            ("gid: \"27\"", "c", "channel: \"*\", call: [\"*\"]", "may call everything"),
            ("gid: \"27\", uid: \"7\"", "c", "channel: \"*\", call: [\"*\"]", nil),
            ("uid: \"*\", executable: /bin/a", "c", "channel: \"*\", call: [\"*\"]", "may call everything"),
        ] as [(String, String, String, String?)]
    )
    func generosity(match: String, context: String, rule: String, message: String?) throws {
        let warnings = try Self.warnings(
            "clients: [{ match: { \(match) }, context: \(context), allow: [{ \(rule) }] }]"
        ).filter { !$0.contains("no listener") }
        #expect(warnings.count == (message == nil ? 0 : 1), "\(warnings)")
        if let message { #expect(warnings.first?.contains(message) == true, "\(warnings)") }
    }

    @Test("are for many, if only a department is named")
    func department() throws {
        let yaml = """
            listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: s } }
            identity: { from: [organizationalUnit] }
            clients: [{ match: { organizationalUnit: a }, context: c, allow: [{ channel: "*", call: ["*"] }] }]
            """
        let warnings = try GatewayConfiguration(yaml: yaml, file: "g.yaml").warnings.map(\.description)
        #expect(warnings.count { $0.contains("everybody who matches may call everything") } == 1, "\(warnings)")
    }

    @Test("are covered by another entry, so that their clients are ambiguous")
    func collisions() throws {
        func entry(_ match: String) -> String {
            "- { match: { \(match) }, context: c, allow: [{ channel: a, call: [b] }] }"
        }
        func warnings(_ matches: String...) throws -> [String] {
            try Self.warnings("clients:\n" + matches.map { "  \(entry($0))\n" }.joined())
        }
        let covered = try warnings("commonName: \"d*\"", "commonName: dev")
        #expect(covered.isEmpty == false)
        #expect(
            covered.first?.contains("clients[1].match: whoever matches it matches clients[0] too, on line 5") == true
        )
        let twins = try warnings("commonName: dev", "commonName: dev")
        #expect(twins.count == 1)
        // The fields are asked in order: who has the URI is not ambiguous.
        #expect(try warnings("uri: \"x:y\", commonName: dev", "commonName: dev").isEmpty)
        #expect(try warnings("commonName: dev", "commonName: ops").isEmpty)
    }
}
