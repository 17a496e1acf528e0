// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import TLSEngine
import Testing

@Suite("Tables of expectations")
struct PolicyTableTests {
    private static let sections = """
        roles: { reader: { allow: [{ name: read, channel: storage, call: [get, list] }] } }
        clients:
          - match: { uri: "spiffe://example.org/dev/*" }
            context: "remote:{uri.lastComponent}"
            roles: [reader]
            allow:
              - { channel: batch.x, call: [put], when: { "[0].count": { max: 5 }, "[1]": { equals: "7" } } }
              - { from: server, channel: window, listen: [onDidFocus] }
          - match: { commonName: ops }
            context: { announced: { clientId: ["w:*"] } }
            allow: [{ channel: "*", call: ["*"] }]
            deny: [{ channel: storage, call: [drop] }]
        shadow: { clients: [{ match: { commonName: ops }, context: c, allow: [] }] }
        """

    private static func failures(_ expectations: String, shadow: Bool = false) throws -> [String] {
        let table = try PolicyTable(
            yaml: header + (shadow ? "shadow: true\n" : "") + "expect:\n" + expectations,
            file: "t.yaml"
        )
        let view = try #require(PolicyView(try PolicyText.configuration(sections), table.kind))
        return table.failures(view, certificates: ["bob.pem": CertificateIdentity(commonNames: ["ops"])])
            .map(\.description)
    }

    private static let header = """
        config: gateway.yaml
        as:
          alice: { uri: "spiffe://example.org/dev/alice" }
          two: { uri: ["spiffe://example.org/dev/a", "spiffe://example.org/dev/b"] }
          bob: { certificate: bob.pem }
          mallory: { commonName: mallory }

        """

    @Test(
        "are met",
        arguments: [
            "as: alice, call: storage.get, allow: true, rule: read, context: \"remote:alice\"",
            "as: alice, call: [storage.get, storage.list], allow: true, rule: roles.reader",
            "as: alice, call: [storage.set, storage.drop, other.get], allow: false",
            "as: alice, call: get, channel: storage, allow: true, rule: \"roles.reader.allow[0]\"",
            "as: alice, call: batch.x.put, argument: [{ count: 5 }, \"7\"], allow: true, rule: \"clients[0]\"",
            "as: alice, call: batch.x.put, argument: [{ count: 5 }, 7], allow: false",
            "as: alice, listen: window.onDidFocus, from: server, allow: true",
            "as: alice, listen: window.onDidFocus, allow: false", "as: alice, context: \"remote:alice\"",
            "as: two, refused: identity-ambiguous", "as: mallory, refused: identity-not-mapped",
            "as: { commonName: ops }, call: a.b, allow: true",
            "as: bob, call: storage.drop, allow: false, rule: \"clients[1].deny\"",
            "as: bob, announce: { clientId: \"w:1\" }, context: { clientId: \"w:1\" }, call: a.b, allow: true",
            "as: bob, announce: { clientId: x }, refused: context-not-allowed",
            "as: bob, announce: main, refused: context-not-allowed",
        ]
    )
    func good(expectation: String) throws {
        let failures = try Self.failures("  - { \(expectation) }")
        #expect(failures.isEmpty)
    }

    @Test(
        "are not met, and why is said in one line",
        arguments: [
            (
                "as: alice, call: storage.get, allow: false",
                "alice call storage.get: expected denied, but it is allowed by roles.reader.allow[0] (gateway.yaml:4) 'read'"
            ),
            (
                "as: alice, call: storage.set, allow: true",
                "expected allowed, but it is denied because no rule allows it; nearest: roles.reader.allow[0]"
            ),
            ("as: bob, call: storage.drop, allow: true", "denied by clients[1].deny[0] (gateway.yaml:15)"),
            (
                "as: alice, call: storage.get, allow: true, rule: roles.read",
                "expected allowed by 'roles.read', but it is"
            ),
            ("as: alice, call: storage.get, allow: true, context: x", "expected the context x, but clients[0]"),
            ("as: bob, context: { clientId: \"w:1\" }", "the client announces it; say what, with announce:"),
            (
                "as: mallory, call: a.b, allow: false",
                "expected denied, but the client is refused as identity-not-mapped"
            ),
            ("as: mallory, context: x", "expected to be accepted, but it is refused"),
            ("as: alice, refused: identity-not-mapped", "but it is accepted by clients[0] (gateway.yaml:6)"),
            ("as: two, refused: identity-not-mapped", "but it is refused as identity-ambiguous"),
        ]
    )
    func bad(expectation: String, message: String) throws {
        let failures = try Self.failures("  - { \(expectation) }")
        #expect(failures.count == 1)
        #expect(failures.first?.hasPrefix("t.yaml:8: ") == true)
        #expect(failures.first?.contains(message) == true, "\(failures)")
    }

    @Test("hold against the shadow policy when they say so")
    func shadow() throws {
        #expect(try Self.failures("  - { as: bob, call: a.b, allow: false }", shadow: true).isEmpty)
        #expect(try Self.failures("  - { as: alice, refused: identity-not-mapped }", shadow: true).isEmpty)
    }

    @Test(
        "judge a shadow policy beside the live one: its context has to be the same, and the live one lets nobody else in"
    )
    func shadowBeside() throws {
        let sections = """
            clients:
              - { match: { commonName: a }, context: a, allow: [] }
              - { match: { commonName: b }, context: b, allow: [] }
            shadow:
              clients:
                - { match: { commonName: a }, context: other, allow: [{ channel: c, call: [d] }] }
                - { match: { commonName: [b, stranger] }, context: b, allow: [{ channel: c, call: [d] }] }
            """
        let table = try PolicyTable(
            yaml: """
                config: g.yaml
                shadow: true
                expect:
                  - { as: { commonName: a }, refused: context-not-allowed }
                  - { as: { commonName: b }, call: c.d, allow: true }
                  - { as: { commonName: stranger }, refused: identity-not-mapped }
                """,
            file: "t.yaml"
        )
        let view = try #require(PolicyView(try PolicyText.configuration(sections), table.kind))
        let failures = table.failures(view, certificates: [:]).map(\.description)
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test("give local clients no group, and serial numbers any spelling")
    func madeUp() throws {
        let sections = """
            identity: { from: [commonName], deny: { serial: ["0a1b2c"] } }
            clients:
              - { match: { gid: "27" }, context: g, allow: [] }
              - { match: { commonName: c }, context: c, allow: [] }
            """
        let yaml =
            "listeners: [{ unix: a.sock }]\nupstreams: { main: { unix: s } }\n" + sections
        let table = try PolicyTable(
            yaml: """
                config: g.yaml
                expect:
                  - { as: { uid: 27 }, refused: identity-not-mapped }
                  - { as: { uid: 27, gid: [5, 27] }, context: g }
                  - { as: { commonName: c, serial: "0A:1B:2C" }, refused: certificate-denied }
                """,
            file: "t.yaml"
        )
        let view = try #require(PolicyView(try GatewayConfiguration(yaml: yaml, file: "g.yaml")))
        let failures = table.failures(view, certificates: [:]).map(\.description)
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test(
        "are read strictly: what is not tested must not seem to be",
        arguments: [
            ("as: alic, context: x", "8:11: expect[0].as: there is no identity 'alic'; did you mean 'alice'?"),
            ("as: alice, cal: a.b, allow: true", "did you mean 'call'?"), ("as: alice", "expects nothing"),
            ("call: a.b, allow: true", "'as' is missing"),
            ("as: alice, call: ab, allow: true", "expected channel.name"),
            ("as: alice, call: a.b", "'allow' is missing"), ("as: alice, allow: true", "needs call: or listen:"),
            ("as: alice, rule: x, context: y", "needs call: or listen:"),
            ("as: alice, refused: identity-not-maped", "did you mean 'identity-not-mapped'?"),
            ("as: alice, refused: identity-refused, call: a.b", "leave out call"),
            ("as: alice, call: a.b, allow: yes", "expected true or false"),
            ("as: alice, call: [], allow: true", "is empty"),
            ("as: alice, call: a.b, allow: true, argument: [no]", "put it in quotes"),
            ("as: { certificate: x, uri: y }, refused: identity-refused", "leave out the others"),
            ("as: { name: x }, refused: identity-refused", "unknown key"),
            ("as: { uid: [1001, 1000] }, context: x", "a local client has one uid"),
            ("as: { uid: 1, gid: \"+27\" }, context: x", "expected a number such as 1000"),
            ("as: { uid: 01 }, context: x", "expected a number such as 1000"),
            ("as: { gid: 1 }, context: x", "a local client has a uid"),
            ("as: { serial: [a, b] }, context: x", "a certificate has one serial"),
            ("as: { serial: xyz }, context: x", "expected a serial number in hexadecimal"),
            ("as: alice, call: a.b, allow: true, from: sever", "did you mean 'server'?"),
        ]
    )
    func strict(expectation: String, message: String) {
        do {
            _ = try Self.failures("  - { \(expectation) }")
            Issue.record("it was taken")
        } catch let error as ConfigurationError {
            #expect(error.description.contains(message), "\(error)")
        } catch {
            Issue.record(error)
        }
    }

    @Test(
        "need a configuration and expectations",
        arguments: ["", "config: x", "expect: []", "a: [", "config: x\nexpect: []"]
    )
    func incomplete(yaml: String) {
        #expect(throws: ConfigurationError.self) { try PolicyTable(yaml: yaml, file: "t.yaml") }
    }
}
