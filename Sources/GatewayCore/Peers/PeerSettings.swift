// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// The other gateways of a group: a client that comes to this one with the token of another's session is led there. The
/// keys are described in docs/configuration.md.
public struct PeerSettings: Sendable {
    /// Another gateway.
    public struct Gateway: Sendable, Equatable {
        /// Its name, which its tokens begin with.
        public var name: String
        /// The host and port of its listener for peers.
        public var address: HostAndPort
    }

    /// The TLS side of connections to peers. Paths name PEM files.
    public struct TLS: Sendable {
        /// This gateway's certificate as a client of its peers.
        public var certificate: String
        /// The private key of `certificate`.
        public var key: String
        /// Where the passphrase of `key` is; nil when it has none.
        public var keyPassphrase: GatewayConfiguration.Passphrase?
        /// The authorities that peers' certificates must come from.
        public var ca: String
    }

    /// How long reaching a peer may take when nothing is written, in nanoseconds.
    public static let standardTimeout: UInt64 = 5_000_000_000
    /// The most bytes of a gateway's name.
    static let nameBytes = 64

    /// This gateway's own name; nil for the host's.
    public var name: String?
    /// The gateways, this one perhaps among them.
    public var gateways: [Gateway]
    /// What this gateway shows them, and by what it knows them.
    public var tls: TLS
    /// Whose certificates may bring clients: fields, all of which must match, each by one of its patterns.
    public var match: [IdentityField: [Glob]]
    /// How long reaching a peer may take, in nanoseconds.
    public var timeout: UInt64
    /// The line of the section in the file.
    public var line: Int

    /// Whether a text can be a gateway's name.
    public static func isName(_ text: String) -> Bool {
        (1...nameBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// The gateway of a name.
    public func gateway(named name: String) -> Gateway? {
        gateways.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// Whether the owner of a certificate may bring clients.
    public func trusts(_ identity: CertificateIdentity) -> Bool {
        match.allSatisfy { field, patterns in
            field.values(in: identity).contains { value in patterns.contains { $0.matches(value) } }
        }
    }
}
