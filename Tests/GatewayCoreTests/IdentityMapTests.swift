// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import TLSEngine
import Testing

@Suite("The identity map")
struct IdentityMapTests {
    private static func map(_ yaml: String, from fields: String = "[uri, dns, commonName]") throws -> IdentityMap {
        let text = """
            listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: s } }
            identity: { from: \(fields) }
            clients:
            \(yaml)
            """
        let configuration = try GatewayConfiguration(yaml: text, file: "gateway.yaml")
        return IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { IdentityMap.Entry(match: $0.match, context: $0.context) }
        )
    }

    private static func assigned(_ map: IdentityMap, _ identity: CertificateIdentity) throws -> IPCValue {
        try map.resolve(identity).grant.context(announced: "announced")
    }

    private static func refusal(_ map: IdentityMap, _ identity: CertificateIdentity) -> CloseReason? {
        #expect(throws: CloseReason.self) { try map.resolve(identity) }
    }

    @Test("assigns a context from the value that matched, whatever the client announces")
    func assigns() throws {
        let map = try Self.map(
            "- { match: { uri: \"spiffe://example.org/dev/*\" }, context: \"remote:{uri.lastComponent}\" }"
        )
        let alice = CertificateIdentity(uris: ["https://other", "spiffe://example.org/dev/alice"])
        #expect(try Self.assigned(map, alice) == "remote:alice")
    }

    @Test("refuses whom no entry matches, and says what the certificate offers")
    func unmapped() throws {
        let map = try Self.map("- { match: { commonName: ops }, context: ops }")
        let reason = Self.refusal(map, CertificateIdentity(commonNames: ["dev"], uris: ["spiffe://x/y"]))
        #expect(reason?.code == .identityNotMapped)
        #expect(reason?.message.contains("commonName 'dev'") == true)
        #expect(
            Self.refusal(IdentityMap(fields: [.commonName], entries: []), CertificateIdentity())?.code
                == .identityNotMapped
        )
    }

    @Test("refuses a certificate whose values lead to two contexts")
    func ambiguousValues() throws {
        let map = try Self.map(
            "- { match: { uri: \"spiffe://example.org/dev/*\" }, context: \"remote:{uri.lastComponent}\" }"
        )
        let both = CertificateIdentity(uris: ["spiffe://example.org/dev/alice", "spiffe://example.org/dev/bob"])
        #expect(Self.refusal(map, both)?.code == .identityAmbiguous)
    }

    @Test("refuses a certificate that two entries match")
    func ambiguousEntries() throws {
        let map = try Self.map(
            """
            - { match: { commonName: "o*" }, context: a }
            - { match: { commonName: "*s" }, context: a }
            """
        )
        #expect(Self.refusal(map, CertificateIdentity(commonNames: ["ops"]))?.code == .identityAmbiguous)
        #expect(try Self.assigned(map, CertificateIdentity(commonNames: ["oz"])) == "a")
    }

    @Test("refuses two values that differ only in how a letter is spelt")
    func spellingOfLetters() throws {
        let map = try Self.map("- { match: { commonName: \"*\" }, context: \"remote:{commonName}\" }")
        let both = CertificateIdentity(commonNames: ["caf\u{e9}", "cafe\u{301}"])
        #expect(Self.refusal(map, both)?.code == .identityAmbiguous)
    }

    @Test("takes two values with the same result as one")
    func sameResult() throws {
        let map = try Self.map("- { match: { dns: \"*.example.org\" }, context: fixed }")
        #expect(try Self.assigned(map, CertificateIdentity(dnsNames: ["a.example.org", "b.example.org"])) == "fixed")
    }

    @Test("asks the fields in their order and lets the first with a match decide")
    func order() throws {
        let entries = """
            - { match: { commonName: ops }, context: by-name }
            - { match: { uri: "x:ops" }, context: by-uri }
            """
        let ops = CertificateIdentity(commonNames: ["ops"], uris: ["x:ops"])
        #expect(try Self.assigned(try Self.map(entries, from: "[uri, commonName]"), ops) == "by-uri")
        #expect(try Self.assigned(try Self.map(entries, from: "[commonName, uri]"), ops) == "by-name")
    }

    @Test("takes any pattern of a list, and an entry that two of its patterns match once")
    func alternatives() throws {
        let map = try Self.map("- { match: { commonName: [ops, \"o*\", root] }, context: \"remote:{commonName}\" }")
        for name in ["ops", "oz", "root"] {
            #expect(try Self.assigned(map, CertificateIdentity(commonNames: [name])) == IPCValue("remote:\(name)"))
        }
        #expect(Self.refusal(map, CertificateIdentity(commonNames: ["dev"]))?.code == .identityNotMapped)
        // Two values that match are two results, through whichever patterns.
        let both = CertificateIdentity(commonNames: ["ops", "root"])
        #expect(Self.refusal(map, both)?.code == .identityAmbiguous)
    }

    @Test(
        "warns of stars that take more into a host's name than was meant",
        arguments: [
            ("uri: \"spiffe://example.org*\"", true), ("uri: \"spiffe://example.org*/dev\"", true),
            ("uri: \"spiffe://example.org/*\"", false), ("uri: \"https://*.example.org/x\"", false),
            ("uri: \"**\"", false), ("uri: \"spiffe://*/dev\"", false), ("uri: \"x:a*\"", false),
            ("dns: \"*example.org\"", true), ("dns: \"*.example.org\"", false), ("dns: \"**\"", false),
        ]
    )
    func width(match: String, isWarned: Bool) throws {
        let configuration = try GatewayConfiguration(
            yaml: """
                listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
                upstreams: { main: { unix: s } }
                clients: [{ match: { \(match) }, context: c, allow: [] }]
                """,
            file: "gateway.yaml"
        )
        let warnings = configuration.warnings.filter {
            $0.message.contains("that begins so") || $0.message.contains("that ends so")
        }
        #expect(warnings.count == (isWarned ? 1 : 0))
    }

    @Test("takes SPIFFE ids apart, and refuses what is none")
    func spiffe() throws {
        let map = try Self.map(
            "- { match: { uri: \"**\" }, context: \"{uri.trustDomain}|{uri.path}|{uri.lastComponent}\" }"
        )
        let alice = CertificateIdentity(uris: ["spiffe://example.org/dev/alice"])
        #expect(try Self.assigned(map, alice) == "example.org|/dev/alice|alice")
        for uri in [
            "https://example.org/dev/alice", "SPIFFE://example.org/a", "spiffe://Example.org/a", "spiffe:///a",
            "spiffe://example.org", "spiffe://example.org/", "spiffe://example.org/a/../b", "spiffe://example.org//a",
            "spiffe://example.org/a%2fb", "spiffe://user@example.org/a", "spiffe://example.org:80/a",
            "spiffe://example.org/a?q", "spiffe://example.org/caf\u{e9}",
        ] {
            #expect(Self.refusal(map, CertificateIdentity(uris: [uri]))?.code == .identityRefused, "\(uri)")
        }
    }

    @Test("wants every field of an entry to match")
    func conjunction() throws {
        let map = try Self.map(
            "- { match: { commonName: ops, organizationalUnit: night }, context: \"{commonName}.{organizationalUnit}\" }",
            from: "[commonName, organizationalUnit]"
        )
        let night = CertificateIdentity(commonNames: ["ops"], organizationalUnits: ["staff", "night"])
        #expect(try Self.assigned(map, night) == "ops.night")
        let day = CertificateIdentity(commonNames: ["ops"], organizationalUnits: ["day"])
        #expect(Self.refusal(map, day)?.code == .identityNotMapped)
    }

    @Test(
        "refuses to substitute what could be taken for something else",
        arguments: ["a*", "a?", "a/b", "a:b", "a\nb", "a\u{0}", "a\\b", "[a]", "{dns}", "\u{85}"]
    )
    func substitution(name: String) throws {
        let map = try Self.map("- { match: { commonName: \"**\" }, context: \"remote:{commonName}\" }")
        #expect(Self.refusal(map, CertificateIdentity(commonNames: [name]))?.code == .identityRefused)
    }

    @Test("refuses an empty last component, and never takes a value for a pattern")
    func lastComponent() throws {
        let map = try Self.map("- { match: { uri: \"x://**\" }, context: \"remote:{uri.lastComponent}\" }")
        #expect(Self.refusal(map, CertificateIdentity(uris: ["x://a/"]))?.code == .identityRefused)
        let literal = try Self.map("- { match: { commonName: ops }, context: ops }")
        #expect(Self.refusal(literal, CertificateIdentity(commonNames: ["*"]))?.code == .identityNotMapped)
    }

    @Test("reads fingerprints and DNS names in the spellings people paste")
    func spellings() throws {
        let map = try Self.map(
            """
            - { match: { fingerprint: "AB:CD:EF" }, context: by-fingerprint }
            - { match: { dns: "Host.Example.ORG" }, context: by-dns }
            """,
            from: "[fingerprint, dns]"
        )
        #expect(try Self.assigned(map, CertificateIdentity(fingerprint: "abcdef")) == "by-fingerprint")
        let host = CertificateIdentity(dnsNames: ["host.example.org"], fingerprint: "00")
        #expect(try Self.assigned(map, host) == "by-dns")
    }

    @Test("accepts an announced context that a pattern covers, and no other")
    func announced() throws {
        let map = try Self.map("- { match: { commonName: ops }, context: { announced: [main, \"window:*\"] } }")
        let grant = try map.resolve(CertificateIdentity(commonNames: ["ops"])).grant
        #expect(try grant.context(announced: "window:7") == "window:7")
        #expect(try grant.context(announced: "main") == "main")
        for other: IPCValue in ["window", "Main", "main2", ""] {
            #expect(throws: CloseReason.self) { try grant.context(announced: other) }
        }
        let error = #expect(throws: CloseReason.self) { try grant.context(announced: ["main"]) }
        #expect(error?.message.contains("not a string") == true)
    }
}

extension IdentityMap.ContextGrant {
    /// The context of a client that announces a value as VS Code's clients write it.
    func context(announced: IPCValue) throws -> IPCValue {
        try context(announced: IPCMessage.context(announced).span, limits: IPCLimits())
    }
}
