// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import TLSEngine
import Testing

@testable import GatewayCore

@Suite("A context that is an object")
struct ObjectContextTests {
    private static func session(_ context: String, _ identity: CertificateIdentity) throws -> GatewaySession {
        let configuration = try PolicyText.configuration(
            "clients: [{ match: { commonName: \"*\" }, context: \(context), allow: [] }]"
        )
        let map = IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { .init(match: $0.match, context: $0.context) }
        )
        return GatewaySession(
            SessionTerms(
                resolution: try map.resolve(identity),
                policy: configuration.clients[0].policy,
                upstreams: configuration.upstreams,
                limits: configuration.limits
            )
        )
    }

    private static let alice = CertificateIdentity(commonNames: ["alice"])
    private static let announced = #"{ announced: { clientId: ["window:*", main], remoteAuthority: ["*"] } }"#

    /// The reason for which an announced context is refused; nil when it is accepted.
    private static func refusal(_ message: [UInt8], _ context: String = announced) throws -> String? {
        var session = try session(context, alice)
        switch session.receivedFromClient(Frame.regular(message).encoded().span, at: 0).action {
        case .accept: return nil
        case .close(let reason):
            #expect(reason.code == .contextNotAllowed)
            #expect(session.context == nil)
            return reason.message
        default:
            Issue.record("neither accepted nor refused")
            return nil
        }
    }

    @Test("is assigned in the order of the configuration, whatever the client announces")
    func assigned() throws {
        var session = try Self.session(
            #"{ assign: { remoteAuthority: gw, clientId: "remote:{commonName}" } }"#,
            Self.alice
        )
        let announced = Frame.regular(IPCMessage.context("window:1")).encoded()
        #expect(session.receivedFromClient(announced.span, at: 0).action == .accept)
        #expect(session.contextText == #"{"remoteAuthority":"gw","clientId":"remote:alice"}"#)
        let context = PolicyText.json(#"{"remoteAuthority":"gw","clientId":"remote:alice"}"#)
        let opening = session.openUpstream(0)
        #expect(opening == Frame.regular(context).encoded() + GatewaySession.initialize)
    }

    @Test("takes values from the certificate as carefully as a text does")
    func assignedValues() throws {
        let context = #"{ assign: { clientId: "remote:{commonName}" } }"#
        let error = #expect(throws: CloseReason.self) {
            try Self.session(context, CertificateIdentity(commonNames: ["a:b"]))
        }
        #expect(error?.code == .identityRefused)
        let two = #expect(throws: CloseReason.self) {
            try Self.session(context, CertificateIdentity(commonNames: ["a", "b"]))
        }
        #expect(two?.code == .identityAmbiguous)
    }

    @Test("is announced with exactly the members that the entry names, in the client's order")
    func announcedObject() throws {
        var session = try Self.session(Self.announced, Self.alice)
        let message = PolicyText.json(#" {"remoteAuthority" : "ssh+host", "client\u0049d":"window:\u0037"} "#)
        #expect(session.receivedFromClient(Frame.regular(message).encoded().span, at: 0).action == .accept)
        #expect(session.contextText == #"{"remoteAuthority":"ssh+host","clientId":"window:7"}"#)
        #expect(session.context == ["remoteAuthority": "ssh+host", "clientId": "window:7"])
    }

    @Test(
        "is refused when a member is missing, is more, does not match or is not certain",
        arguments: [
            (#"{"clientId":"main"}"#, "has no 'remoteAuthority'"),
            (#"{"clientId":"root","remoteAuthority":"a"}"#, "with the 'clientId' 'root'; allowed: 'window:*', 'main'"),
            (#"{"clientId":"main","remoteAuthority":"a","admin":true}"#, "has the member 'admin'"),
            (#"{"clientId":["main"],"remoteAuthority":"a"}"#, "'clientId' is not a string"),
            (#"{"clientId":"main","remoteAuthority":null}"#, "'remoteAuthority' is not a string"),
            (#"{"clientId":"main","remoteAuthority":"\ud800"}"#, "'remoteAuthority' is not a string"),
            (#"{"clientId":"main","clientId":"root","remoteAuthority":"a"}"#, "holds a key twice"),
            (#"{"clientId":"root","cl\u0069entId":"main","remoteAuthority":"a"}"#, "holds a key twice"),
            (#"{"clientId":"main","remoteAuthority":"a","__proto__":{}}"#, "'__proto__'"),
            (#"["main","a"]"#, "not an object"), (#""main""#, "not an object"), ("null", "not an object"),
        ]
    )
    func refused(json: String, message: String) throws {
        let refusal = try Self.refusal(PolicyText.json(json))
        #expect(refusal?.contains(message) == true, "\(refusal ?? "accepted")")
    }

    @Test("is no string, and a string is no object")
    func forms() throws {
        #expect(try Self.refusal(IPCMessage.context("main")) != nil)
        #expect(try Self.refusal(IPCMessage.context(.undefined)) != nil)
        let strings = "{ announced: [main] }"
        #expect(try Self.refusal(IPCMessage.context("main"), strings) == nil)
        #expect(try Self.refusal(PolicyText.json(#"{"clientId":"main"}"#), strings) != nil)
    }

    @Test("that two values of a certificate spell differently is two contexts")
    func spellings() throws {
        let error = #expect(throws: CloseReason.self) {
            try Self.session(
                #"{ assign: { clientId: "{commonName}" } }"#,
                CertificateIdentity(commonNames: ["caf\u{e9}", "cafe\u{301}"])
            )
        }
        #expect(error?.code == .identityAmbiguous)
    }

    @Test(
        "with a mistake in the configuration is refused",
        arguments: [
            ("{ announced: [a], assign: { b: c } }", "either 'announced'"), ("{ }", "either 'announced'"),
            ("{ assign: {} }", "is empty"), ("{ announced: {} }", "is empty"), ("{ announced: { a: b } }", "a list"),
            ("{ announced: { a: [] } }", "announced.a: is empty"), ("{ assign: { a: [b] } }", "assign.a: expected"),
            ("{ assign: { a: \"{nobody}\" } }", "unknown place {nobody}"), ("{ assign: x }", "expected a mapping"),
            ("{ assign: { __proto__: x } }", "no member that a server could trust"),
            ("{ asign: { a: b } }", "did you mean 'assign'?"),
        ]
    )
    func mistakes(context: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.session(context, Self.alice) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }
}
