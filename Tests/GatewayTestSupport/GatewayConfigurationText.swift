// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A configuration file in the making.
public struct GatewayConfigurationText: Sendable {
    /// A local server.
    public struct Upstream: Sendable {
        /// Its name.
        public var name: String
        /// Its socket's path.
        public var path: String
        /// Whether it is dialled before the first request.
        public var isEager: Bool
        /// Further members of its entry.
        public var members: [String: String]

        /// Describes a server.
        public init(name: String = "main", path: String, isEager: Bool = false, members: [String: String] = [:]) {
            self.name = name
            self.path = path
            self.isEager = isEager
            self.members = members
        }
    }

    /// The address to listen on.
    public var address = "127.0.0.1:0"
    /// Further listeners, each a YAML mapping in one line.
    public var listeners: [String] = []
    /// The gateway's certificate.
    public var certificate: CertificateFiles
    /// The authority of clients' certificates.
    public var clientCA: String
    /// The oldest version of TLS; nil for the default.
    public var minimumVersion: String?
    /// Further members of `tls:`.
    public var tls: [String: String] = [:]
    /// The members of the listener's `limits:`.
    public var listenerLimits: [String: String] = [:]
    /// The mapping `proxy:` of the listener, in one line; nil for none.
    public var proxy: String?
    /// The members of `identity.deny:`.
    public var deny: [String: String] = [:]
    /// The local servers.
    public var upstreams: [Upstream]
    /// The certificate fields that name a client.
    public var identity = ["uri", "commonName"]
    /// The entries of `clients:`, each a YAML mapping in one line.
    public var clients: [String] = Self.standardClients
    /// Everything from `roles:` or `clients:` on, as it is; nil for `clients`.
    public var verbatimClients: String?
    /// The members of `answers:`.
    public var answers: [String: String] = [:]
    /// The members of `limits:`.
    public var limits: [String: String] = [:]
    /// The members of `timeouts:`.
    public var timeouts: [String: String] = [:]
    /// The members of `sessions:`.
    public var sessions: [String: String] = [:]
    /// The members of `peers:`.
    public var peers: [String: String] = [:]
    /// The mapping `audit:`, in one line; nil for none.
    public var audit: String?
    /// Further sections, each in one line.
    public var sections: [String] = []
    /// The mapping `admin:`, in one line; nil for none.
    public var admin: String?
    /// The mapping `reload:`, in one line; nil for none.
    public var reload: String?
    /// The number of threads; nil for the default.
    public var threads: Int?

    /// Everybody may do everything: those under `spiffe://example.org/dev/` with their name as context, `ops` with any.
    public static let standardClients = [
        #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", \#(everything) }"#,
        #"{ match: { commonName: ops }, context: { announced: ["*"] }, \#(everything) }"#,
    ]

    /// The rules that allow everything, to the client and to its server.
    public static let everything =
        #"allow: [{ channel: "*", call: ["*"], listen: ["*"] }, "#
        + #"{ from: server, channel: "*", call: ["*"], listen: ["*"] }]"#

    /// Starts a configuration.
    public init(certificate: CertificateFiles, clientCA: String, upstreams: [Upstream]) {
        self.certificate = certificate
        self.clientCA = clientCA
        self.upstreams = upstreams
    }

    /// The text of the file.
    public var yaml: String {
        var lines = ["listeners:", "  - address: \(self.address)", "    tls:"]
        lines += ["      certificate: \(self.certificate.certificate)", "      key: \(self.certificate.key)"]
        lines += ["      clientCA: \(self.clientCA)"]
        if let minimumVersion {
            lines += ["      minimumVersion: \"\(minimumVersion)\""]
        }
        if !self.listenerLimits.isEmpty {
            let members = self.listenerLimits.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            lines.insert("    limits: { \(members.joined(separator: ", ")) }", at: 2)
        }
        if let proxy {
            lines.insert("    proxy: \(proxy)", at: 2)
        }
        lines += self.tls.sorted { $0.key < $1.key }.map { "      \($0.key): \($0.value)" }
        lines += self.listeners.map { "  - \($0)" }
        lines += ["upstreams:"]
        for upstream in self.upstreams {
            let further = upstream.members.sorted { $0.key < $1.key }.map { ", \($0.key): \($0.value)" }.joined()
            lines += ["  \(upstream.name): { unix: \(upstream.path), eager: \(upstream.isEager)\(further) }"]
        }
        let deny = self.deny.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        lines += ["identity: { from: [\(self.identity.joined(separator: ", "))], deny: { \(deny) } }"]
        lines += self.verbatimClients.map { [$0] } ?? ["clients:"] + self.clients.map { "  - \($0)" }
        let sections = [
            ("answers", self.answers), ("limits", self.limits), ("timeouts", self.timeouts),
            ("sessions", self.sessions), ("peers", self.peers),
        ]
        for (section, members) in sections where !members.isEmpty {
            lines += ["\(section):"] + members.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        }
        if let audit {
            lines += ["audit: \(audit)"]
        }
        lines += self.sections
        if let admin {
            lines += ["admin: \(admin)"]
        }
        if let reload {
            lines += ["reload: \(reload)"]
        }
        if let threads {
            lines += ["threads: \(threads)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
