// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import TLSEngine
import Testing

@testable import GatewayCore

@Suite("To whom a session belongs")
struct SessionOwnerTests {
    private static func map(_ clients: String) throws -> IdentityMap {
        let configuration = try GatewayConfiguration(
            yaml: """
                listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
                upstreams: { main: { unix: s } }
                identity: { from: [uri, commonName] }
                clients:
                \(clients)
                """,
            file: "g.yaml"
        )
        return IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { IdentityMap.Entry(match: $0.match, context: $0.context) }
        )
    }

    private static let assigned = #"  - { match: { uri: "spiffe://e/*" }, context: "remote:{uri.lastComponent}" }"#
    private static let announced = "  - { match: { commonName: ops }, context: { announced: [\"w*\"] } }"
    private static let alice = CertificateIdentity(uris: ["spiffe://e/alice"])
    private static let ops = CertificateIdentity(commonNames: ["ops"])

    @Test("A session belongs to the identity, the entry and the context it was begun with")
    func owner() throws {
        let map = try Self.map(Self.assigned + "\n" + Self.announced)
        let owner = SessionOwner(try map.resolve(Self.alice), context: "remote:alice")
        let limits = IPCLimits()
        #expect(owner.refusal(of: try map.resolve(Self.alice), limits: limits) == nil)
        let again = CertificateIdentity(commonNames: ["another certificate"], uris: ["spiffe://e/alice"])
        #expect(owner.refusal(of: try map.resolve(again), limits: limits) == nil)
        #expect(owner.refusal(of: try map.resolve(Self.ops), limits: limits) == .notYours)
        let bob = CertificateIdentity(uris: ["spiffe://e/bob"])
        #expect(owner.refusal(of: try map.resolve(bob), limits: limits) == .notYours)
        let window = SessionOwner(try map.resolve(Self.ops), context: "w1")
        #expect(window.refusal(of: try map.resolve(Self.ops), limits: limits) == nil)
    }

    @Test("Two spellings of a name are two owners")
    func spellings() throws {
        let map = try Self.map(Self.assigned)
        let composed = CertificateIdentity(uris: ["spiffe://e/\u{e9}"])
        let decomposed = CertificateIdentity(uris: ["spiffe://e/e\u{301}"])
        let owner = SessionOwner(try map.resolve(composed), context: "remote:\u{e9}")
        #expect(owner.refusal(of: try map.resolve(decomposed), limits: IPCLimits()) == .notYours)
    }

    @Test("Who may not have the context any more has lost the session")
    func revoked() throws {
        let before = try Self.map(Self.assigned + "\n" + Self.announced)
        let limits = IPCLimits()
        let assigned = SessionOwner(try before.resolve(Self.alice), context: "remote:alice")
        let renamed = try Self.map(Self.assigned.replacing("remote:", with: "r:") + "\n" + Self.announced)
        #expect(assigned.refusal(of: try renamed.resolve(Self.alice), limits: limits) == .revoked)
        let moved = try Self.map(Self.announced + "\n" + Self.assigned)
        #expect(assigned.refusal(of: try moved.resolve(Self.alice), limits: limits) == .revoked)
        let announced = SessionOwner(try before.resolve(Self.ops), context: "w1")
        let narrowed = try Self.map(Self.assigned + "\n" + Self.announced.replacing("w*", with: "x*"))
        #expect(announced.refusal(of: try narrowed.resolve(Self.ops), limits: limits) == .revoked)
    }

    @Test("A context that is an object is compared whole")
    func objects() throws {
        let map = try Self.map("  - { match: { commonName: ops }, context: { announced: { a: [\"*\"], b: [\"*\"] } } }")
        let context: IPCValue = .object(["a": "1", "b": "2"])
        let owner = SessionOwner(try map.resolve(Self.ops), context: context)
        #expect(owner.refusal(of: try map.resolve(Self.ops), limits: IPCLimits()) == nil)
    }
}
