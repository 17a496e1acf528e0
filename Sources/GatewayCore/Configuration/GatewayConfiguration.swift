// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What an operator wrote, decoded and checked for form; files it names have not been opened.
///
/// The document is described in docs/configuration.md. Paths are as written; relative ones are relative to the folder
/// of the configuration file (`resolve(_:)`).
public struct GatewayConfiguration: Sendable {
    /// Where to listen, and with it what proves who a client is.
    public struct Listener: Sendable {
        /// A place to listen at.
        public enum Place: Sendable {
            /// An IP address and port, for clients with a certificate: key, trust anchors, versions and algorithms.
            case tcp(ListenerAddress, ListenerTLS)
            /// A Unix socket, for clients of whom the kernel says who they are.
            case unix(ListenerSocket)
        }

        /// The place.
        public var place: Place
        /// The name of the socket that the service manager hands over. The address or path of ``place`` means nothing then.
        public var inherited: String?
        /// Whether another gateway may listen at the same address at the same time.
        public var isShared = false
        /// Bounds on what comes through it.
        public var limits = ListenerLimits()
        /// Whether other gateways connect here, with clients whose sessions this one keeps, instead of clients.
        public var isForPeers = false
        /// From where connections must begin with a header of the PROXY protocol, which says whose they are.
        public var proxies: [IPNetwork] = []
        /// The line of the entry in the file.
        public var line: Int
    }

    /// A Unix socket to listen at.
    public struct ListenerSocket: Sendable, Hashable {
        /// The mode of the file when none is written: for the gateway's own user.
        public static let standardMode: UInt32 = 0o600

        /// The path of the socket.
        public var path: String
        /// The mode of the file. Who may write to it may connect.
        public var mode: UInt32

        /// Describes a socket.
        public init(path: String, mode: UInt32 = standardMode) {
            self.path = path
            self.mode = mode
        }
    }

    /// Where the passphrase of a private key is.
    public enum Passphrase: Sendable, Hashable {
        /// The first line of a file.
        case file(String)
        /// An environment variable.
        case environment(String)
    }

    /// The TLS side of a listener. Paths name PEM files; certificate and key may be store URIs (`file:`, `pkcs11:`).
    public struct ListenerTLS: Sendable {
        /// The gateway's certificate, followed by its intermediates.
        public var certificate: String
        /// The private key of `certificate`.
        public var key: String
        /// Where the passphrase of `key` is; nil when it has none.
        public var keyPassphrase: Passphrase?
        /// The certificates of those who may issue client certificates.
        public var clientCA: String
        /// Revocation lists of all authorities of a client's chain; nil when revocation is not checked.
        public var crl: String?
        /// How long a TLS session may be resumed, in seconds; 0 for never.
        public var resumption: Int64
        /// Where TLS secrets are written, for debugging; nil for nowhere.
        public var keyLog: String?
        /// `"1.3"` (default) or `"1.2"`.
        public var minimumVersion: String
        /// TLS 1.3 cipher suites; nil for the built-in list.
        public var cipherSuites: [String]?
        /// TLS 1.2 ciphers; nil for the built-in list.
        public var ciphers: [String]?
        /// Key exchange groups, most wanted first; nil for the built-in list.
        public var groups: [String]?
    }

    /// A local server.
    public struct Upstream: Sendable {
        /// What becomes of a client when its server is lost.
        public enum Loss: String, Sendable, Hashable, CaseIterable {
            /// Its connection ends, too.
            case close
            /// Its calls are answered with errors until the server is back; then its subscriptions are made again, and
            /// those calls that are idempotent and were open at the loss.
            case redial
        }

        /// The name that client entries use.
        public var name: String
        /// The path of its Unix socket.
        public var unix: String
        /// Whether to dial as soon as a client's context is accepted, instead of at its first request.
        public var eager: Bool
        /// The channels that are this server's, where a client has several; none for those that are nobody else's.
        public var channels: [Glob]
        /// What becomes of a client when the server is lost; nil for `close` where it is the client's only server, and
        /// `redial` where it is one of several.
        public var whenLost: Loss?
        /// The calls that are repeated when it was lost with them and is back; nil for none.
        public var idempotent: IdempotentCalls?
        /// Whether it is asked after its health, and the gateway is not ready without it.
        public var isChecked = true

        /// Describes a server.
        public init(
            name: String,
            unix: String,
            eager: Bool = false,
            channels: [Glob] = [],
            whenLost: Loss? = nil,
            idempotent: IdempotentCalls? = nil
        ) {
            self.name = name
            self.unix = unix
            self.eager = eager
            self.channels = channels
            self.whenLost = whenLost
            self.idempotent = idempotent
        }
    }

    /// One entry of `clients:`: whom it matches, which context they get, what they may do and where they are led.
    public struct Client: Sendable {
        /// Fields of one kind (certificate or local client), all of which must match, each by one of its patterns.
        public var match: [IdentityField: [Glob]]
        /// The context.
        public var context: ContextRule
        /// The names of the entry's roles.
        public var roles: [String]
        /// The rules of the roles and of the entry itself.
        public var policy: AccessPolicy
        /// The names of its upstreams, at most one of which has no channels of its own.
        public var upstreams: [String]
        /// Bounds on what it may have open, and on its rate.
        public var limits: ClientLimits
        /// How long its sessions wait for it after a loss, in nanoseconds; nil for as long as everybody's.
        public var graceTime: UInt64?
        /// The line of the entry in the file.
        public var line: Int
    }

    /// The file this was read from, for messages.
    public var file: String
    /// Where to listen; at least one.
    public var listeners: [Listener]
    /// Local servers, in the order of the file; at least one.
    public var upstreams: [Upstream]
    /// The fields that name a client, in order: those of certificates as configured, then those of local clients.
    public var identityFields: [IdentityField]
    /// Certificates that are refused.
    public var denyList: DenyList
    /// Who may connect; empty means nobody.
    public var clients: [Client]
    /// What clients are told.
    public var answers: AnswerSettings
    /// Entries that are judged beside `clients` and decide nothing; nil when there is no `shadow:` section.
    public var shadow: ShadowPolicy?
    /// Bounds.
    public var limits: GatewayLimits
    /// Deadlines.
    public var timeouts: GatewayTimeouts
    /// Bounds on sessions that outlive their connections.
    public var sessions: SessionLimits
    /// The other gateways of a group; nil for none.
    public var peers: PeerSettings?
    /// The audit log; nil for none.
    public var audit: AuditSettings?
    /// Where operators reach the gateway; nil for nowhere.
    public var admin: AdminSettings?
    /// When it looks for changes by itself.
    public var reload = ReloadSettings()
    /// Number of reactor threads; nil for one per core.
    public var threads: Int?
    /// What the process takes away from itself after its start.
    public var sandbox: SandboxSettings
    /// The name or number of the user to become when started by root; nil for none.
    public var user: String?
    /// The name or number of the group; nil for the user's own.
    public var group: String?
    /// What is allowed but probably not meant.
    public var warnings: [ConfigurationProblem]

    /// The path as the process must open it: absolute as it is, relative ones from the folder of the configuration. A
    /// store URI (`file:…`, `pkcs11:…`) stays as it is.
    public func resolve(_ path: String) -> String {
        Self.resolve(path, namedIn: file)
    }

    /// A path that a file names: relative to that file; a store URI as it is.
    static func resolve(_ path: String, namedIn file: String) -> String {
        let scheme = path.utf8.prefix { $0 != UInt8(ascii: ":") }
        if scheme.count < path.utf8.count, ["file", "pkcs11"].contains(String(scheme)) { return path }
        guard !path.utf8.starts(with: "/".utf8), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return path
        }
        return String(file[...slash]) + path
    }
}

/// An address to listen on.
public struct ListenerAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 or IPv6 address, without brackets.
    public var host: String
    /// The port; 0 lets the system choose.
    public var port: UInt16

    /// Makes an address.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// `host:port`, with brackets around an IPv6 address.
    public var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension GatewayConfiguration.Listener {
    /// Where it listens, for people.
    public var name: String {
        if let inherited { return "systemd:\(inherited)" }
        return switch place {
        case .tcp(let address, _): "\(address)"
        case .unix(let socket): "unix:\(socket.path)"
        }
    }
}
