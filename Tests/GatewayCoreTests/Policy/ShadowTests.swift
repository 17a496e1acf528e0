// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import TLSEngine
import Testing

@Suite("The shadow policy")
struct ShadowTests {
    private static let live = """
        roles: { reader: { allow: [{ name: read, channel: a, call: [b, c] }] } }
        clients:
          - { match: { commonName: x }, context: "dev:{commonName}", roles: [reader] }
          - { match: { commonName: y }, context: { announced: ["w:*"] }, roles: [reader] }

        """

    private static func shadow(_ text: String) throws -> ShadowPolicy? {
        try PolicyText.configuration(live + text).shadow
    }

    private static func policy(
        _ shadow: ShadowPolicy?,
        _ name: String,
        announced: String = "w:1",
        context: String
    ) throws -> AccessPolicy {
        try #require(shadow).policy(
            for: .certificate(CertificateIdentity(commonNames: [name])),
            announced: ValueEncoder.encode(IPCValue(announced)).span,
            context: IPCValue(context),
            limits: IPCLimits()
        )
    }

    @Test("is not there unless the configuration has one")
    func absent() throws {
        #expect(try Self.shadow("") == nil)
    }

    @Test("has roles and entries of its own, with the same names for rules")
    func own() throws {
        let shadow = try Self.shadow(
            """
            shadow:
              roles: { reader: { allow: [{ name: read, channel: a, call: [b] }] } }
              clients:
                - { match: { commonName: x }, context: "dev:{commonName}", roles: [reader] }
            """
        )
        let policy = try Self.policy(shadow, "x", context: "dev:x")
        #expect(policy.allowsCall("a", "b"))
        #expect(!policy.allowsCall("a", "c"))
        #expect(policy.rules.first?.place == "shadow.roles.reader.allow[0]")
        #expect(policy.rules.first?.line == 9)
    }

    @Test("denies everything to whom it does not know, knows twice, or gives another context")
    func unknown() throws {
        let rule = "allow: [{ channel: a, call: [b] }]"
        let shadow = try Self.shadow(
            """
            shadow:
              clients:
                - { match: { commonName: "x*" }, context: "other:{commonName}", \(rule) }
                - { match: { commonName: y }, context: { announced: ["w:1"] }, \(rule) }
                - { match: { commonName: "*z" }, context: "dev:{commonName}", \(rule) }
            """
        )
        #expect(try !Self.policy(shadow, "x", context: "dev:x").allowsCall("a", "b"))
        #expect(try Self.policy(shadow, "x", context: "other:x").allowsCall("a", "b"))
        #expect(try Self.policy(shadow, "y", context: "w:1").allowsCall("a", "b"))
        #expect(try !Self.policy(shadow, "y", announced: "w:2", context: "w:2").allowsCall("a", "b"))
        #expect(try !Self.policy(shadow, "xz", context: "dev:xz").allowsCall("a", "b"), "it is ambiguous")
        #expect(try !Self.policy(shadow, "nobody", context: "w:1").allowsCall("a", "b"))
    }

    @Test("is read as strictly as the live one")
    func strict() throws {
        let text = """
            shadow:
              rols: {}
              clients:
                - { match: { commonName: x }, context: c, roles: [reader] }
                - { match: { commonName: x }, context: c, allow: [{ channel: a, cal: [b] }] }
            """
        do {
            _ = try Self.shadow(text)
            Issue.record("it was taken")
        } catch let error as ConfigurationError {
            let all = error.description
            #expect(all.contains("gateway.yaml:9:3: shadow.rols: unknown key; did you mean 'roles'?"), "\(all)")
            #expect(all.contains("shadow.clients[0].roles[0]: there is no role 'reader'; there is no roles: section"))
            #expect(all.contains("gateway.yaml:12:69: shadow.clients[1].allow[0].cal: unknown key"))
        }
        let empty = try PolicyText.configuration(Self.live + "shadow: { roles: { r: { deny: [] } } }")
        let warnings = empty.warnings.map(\.description)
        #expect(
            warnings.contains { $0.contains(" shadow: there is no clients: section, so it denies everything") },
            "\(warnings)"
        )
        #expect(warnings.contains { $0.contains(" shadow.roles.r: no client entry has this role") })
    }
}
