// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// Who wants to connect, and what becomes of it.
struct AccessCase: Sendable, CustomTestStringConvertible {
    /// What the client sees.
    enum Sight: Sendable {
        /// `[200]`.
        case accepted
        /// TLS fails, with these words of the alert, or of the client's own.
        case alert(String)
        /// A Control frame with this code, then an end in order.
        case error(String)
        /// No TLS at all: the end of the stream, behind an alert perhaps.
        case end
    }

    var name: String
    var sight: Sight
    /// The reason in the log; nil for a client that stays.
    var reason: String?
    /// The version that is negotiated with a client that is accepted.
    var version = TLSVersion.tls13
    /// The certificate; nil for none.
    var files: @Sendable (GatewayBench) throws -> CertificateFiles? = { try $0.alice() }
    /// What is different in the client's TLS.
    var tls: @Sendable (inout TLSConfiguration) -> Void = { _ in }
    /// Bytes that are sent instead of TLS.
    var plaintext: [UInt8]?
    /// The context that is announced, and the one the upstream must see.
    var announced: IPCValue = "whoever"
    var context = "remote:alice"
    /// What is different in the gateway's configuration.
    var configure: @Sendable (inout GatewayConfigurationText) -> Void = { _ in }

    var testDescription: String { self.name }
}

extension AccessCase {
    private static let everything = #"allow: [{ channel: "*", call: ["*"], listen: ["*"] }]"#

    private static func clients(_ entries: String...) -> @Sendable (inout GatewayConfigurationText) -> Void {
        { $0.clients = entries.map { "{ \($0), \(Self.everything) }" } }
    }

    private static func commonName(_ name: String, _ file: String)
        -> @Sendable (GatewayBench) throws
        -> CertificateFiles?
    {
        { try $0.authority.client(file, commonName: name) }
    }

    private static let opsAnnounced = Self.clients("match: { commonName: ops }, context: { announced: [\"ops:*\"] }")
    private static let template = Self.clients("match: { commonName: \"*\" }, context: \"remote:{commonName}\"")

    static let certificates: [AccessCase] = [
        AccessCase(name: "the right authority and identity", sight: .accepted),
        AccessCase(
            name: "no certificate",
            sight: .alert("certificate required"),
            reason: "no-client-certificate",
            files: { _ in nil }
        ),
        AccessCase(
            name: "another authority's certificate with the right name",
            sight: .alert("unknown CA"),
            reason: "issuer-unknown",
            files: { try $0.strangersAlice() }
        ),
        AccessCase(
            name: "an expired certificate",
            sight: .alert("certificate expired"),
            reason: "certificate-expired",
            files: {
                try $0.authority.client(
                    "late",
                    uris: ["spiffe://example.org/dev/late"],
                    notBefore: "-2d",
                    notAfter: "-1d"
                )
            }
        ),
        AccessCase(
            name: "a certificate that is not valid yet",
            sight: .alert("bad certificate"),
            reason: "certificate-not-yet-valid",
            files: {
                try $0.authority.client(
                    "early",
                    uris: ["spiffe://example.org/dev/early"],
                    notBefore: "+1d",
                    notAfter: "+2d"
                )
            }
        ),
        AccessCase(
            name: "a server's certificate shown by a client",
            sight: .alert("unsupported certificate"),
            reason: "wrong-purpose",
            files: { try $0.authority.server("impostor", dns: ["ops"]) },
            configure: Self.clients("match: { commonName: \"*\" }, context: impostor")
        ),
    ]

    static let identities: [AccessCase] = [
        AccessCase(
            name: "an identity that nobody mapped",
            sight: .error("not-allowed"),
            reason: "identity-not-mapped",
            files: { try $0.authority.client("mallory", uris: ["spiffe://example.org/intern/mallory"]) }
        ),
        AccessCase(
            name: "a name below the pattern's last star",
            sight: .error("not-allowed"),
            reason: "identity-not-mapped",
            files: { try $0.authority.client("deep", uris: ["spiffe://example.org/dev/team/deep"]) }
        ),
        AccessCase(
            name: "two entries match",
            sight: .error("not-allowed"),
            reason: "identity-ambiguous",
            configure: Self.clients(
                "match: { uri: \"spiffe://example.org/dev/*\" }, context: first",
                "match: { uri: \"spiffe://example.org/*/alice\" }, context: second"
            )
        ),
        AccessCase(
            name: "two names that give two contexts",
            sight: .error("not-allowed"),
            reason: "identity-ambiguous",
            files: {
                try $0.authority.client("two", uris: ["spiffe://example.org/dev/one", "spiffe://example.org/dev/two"])
            }
        ),
        AccessCase(
            name: "a wildcard in a name that becomes the context",
            sight: .error("not-allowed"),
            reason: "identity-refused",
            files: Self.commonName("al*ice", "wildcard"),
            configure: Self.template
        ),
        AccessCase(
            name: "a separator in a name that becomes the context",
            sight: .error("not-allowed"),
            reason: "identity-refused",
            files: Self.commonName("ops:root", "separator"),
            configure: Self.template
        ),
    ]

    static let contexts: [AccessCase] = [
        AccessCase(
            name: "an announced context that is allowed",
            sight: .accepted,
            files: { try $0.authority.client("ops") },
            announced: "ops:night",
            context: "ops:night",
            configure: Self.opsAnnounced
        ),
        AccessCase(
            name: "an announced context that is not allowed",
            sight: .error("not-allowed"),
            reason: "context-not-allowed",
            files: { try $0.authority.client("ops") },
            announced: "night",
            configure: Self.opsAnnounced
        ),
        AccessCase(
            name: "somebody else's context",
            sight: .error("not-allowed"),
            reason: "context-not-allowed",
            files: { try $0.authority.client("ops") },
            announced: "remote:alice",
            configure: Self.opsAnnounced
        ),
        AccessCase(
            name: "a context that is no string where it is announced",
            sight: .error("not-allowed"),
            reason: "context-not-allowed",
            files: { try $0.authority.client("ops") },
            announced: ["clientId": "ops:night"],
            configure: Self.opsAnnounced
        ),
        AccessCase(
            name: "somebody else's context where it is assigned",
            sight: .accepted,
            announced: "remote:bob"
        ),
        AccessCase(
            name: "a context that is no string where it is assigned",
            sight: .accepted,
            announced: ["clientId": "renderer", "remoteAuthority": "box"]
        ),
    ]

    static let protocols: [AccessCase] = [
        AccessCase(
            name: "TLS 1.2 where 1.3 is required",
            sight: .alert("protocol version"),
            reason: "protocol-version",
            tls: { $0.speakOnly12() }
        ),
        AccessCase(
            name: "TLS 1.2 where it is allowed",
            sight: .accepted,
            version: .tls12,
            tls: { $0.speakOnly12() },
            configure: { $0.minimumVersion = "1.2" }
        ),
        AccessCase(
            name: "TLS 1.2 without a certificate",
            sight: .alert("handshake failure"),
            reason: "no-client-certificate",
            files: { _ in nil },
            tls: { $0.speakOnly12() },
            configure: { $0.minimumVersion = "1.2" }
        ),
        AccessCase(
            name: "ALPN with none of ours",
            sight: .alert("no application protocol"),
            reason: "no-application-protocol",
            tls: { $0.applicationProtocols = ["h2", "http/1.1"] }
        ),
        AccessCase(
            name: "ALPN with ours among others",
            sight: .accepted,
            tls: { $0.applicationProtocols = ["h2", "vscode-ipc"] }
        ),
        AccessCase(
            name: "plain HTTP",
            sight: .end,
            reason: "not-tls",
            plaintext: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        ),
        AccessCase(
            name: "the plain protocol without TLS",
            sight: .end,
            reason: "not-tls",
            plaintext: TestClient.opening()
        ),
        AccessCase(
            name: "random bytes",
            sight: .end,
            reason: "not-tls",
            plaintext: (0..<200).map { UInt8(truncatingIfNeeded: $0 * 151 + 17) }
        ),
        AccessCase(
            name: "garbage behind the header of a TLS record",
            sight: .end,
            reason: "protocol-violation",
            plaintext: [22, 3, 1, 0, 60] + (0..<60).map { UInt8(truncatingIfNeeded: $0 * 91 + 5) }
        ),
    ]
}

extension TLSConfiguration {
    /// Speaks TLS 1.2 and nothing else.
    mutating func speakOnly12() {
        self.minimumVersion = .tls12
        self.maximumVersion = .tls12
    }
}
