// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
public import TLSEngine

/// Everything a connection is judged by, read, validated as a whole and never changed afterwards.
public final class GatewaySnapshot: Sendable {
    /// A place to listen at, ready for use.
    public enum Listener: Sendable {
        /// An address, and its TLS side.
        case tcp(ListenerAddress, TLSContext)
        /// A Unix socket, its path as the process must open it.
        case unix(GatewayConfiguration.ListenerSocket)
    }

    /// Its number: 1 for the first since the start, one more for each that replaces another.
    public let generation: Int
    /// The configuration this was made of.
    public let configuration: GatewayConfiguration
    /// The listeners.
    public let listeners: [Listener]
    /// What this gateway shows its peers, and knows them by; nil without peers.
    public let peerContext: TLSContext?
    /// Who is who.
    public let identityMap: IdentityMap
    /// The patterns of programs that entries ask for.
    private let executables: [Glob]
    /// What an operator should know, such as a key exchange group that the TLS library lacks.
    public let notes: [ConfigurationProblem]
    /// For each entry of `clients:`, where its requests go.
    private let routes: [ClientRoute]

    /// Opens what the configuration names.
    ///
    /// - Parameters:
    ///   - configuration: The configuration.
    ///   - generation: Its number.
    /// - Throws: Every problem with certificates, keys and algorithms at once.
    public init(_ configuration: GatewayConfiguration, generation: Int = 1) throws(ConfigurationError) {
        var problems: [ConfigurationProblem] = []
        var notes = configuration.warnings
        var listeners: [Listener] = []
        for (index, listener) in configuration.listeners.enumerated() {
            func problem(_ message: String) -> ConfigurationProblem {
                ConfigurationProblem(
                    file: configuration.file,
                    line: listener.line,
                    path: "listeners[\(index)].tls",
                    message: message
                )
            }
            let address: ListenerAddress
            let tls: TLSConfiguration
            switch listener.place {
            case .unix(var socket):
                if listener.inherited == nil { socket.path = configuration.resolve(socket.path) }
                listeners.append(.unix(socket))
                continue
            case .tcp(let place, let settings):
                address = place
                tls = Self.tlsConfiguration(settings, configuration, isForPeers: listener.isForPeers)
            }
            do throws(TLSConfigurationError) {
                let context = try TLSContext(tls)
                notes += context.notes.map(problem)
                listeners.append(.tcp(address, context))
            } catch {
                let all = TLSContext.problems(in: tls)
                problems += (all.isEmpty ? [error] : all).map { problem($0.description) }
            }
        }
        peerContext = configuration.peers.flatMap { Self.peerContext($0, configuration, &problems, &notes) }
        problems += Self.socketProblems(configuration)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        self.generation = generation
        self.configuration = configuration
        self.listeners = listeners
        self.notes = notes
        routes = configuration.clients.map(configuration.route(of:))
        executables = configuration.clients.flatMap { $0.match[.executable] ?? [] }
        identityMap = IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { IdentityMap.Entry(match: $0.match, context: $0.context) }
        )
    }

    private static func tlsConfiguration(
        _ tls: GatewayConfiguration.ListenerTLS,
        _ configuration: GatewayConfiguration,
        isForPeers: Bool
    ) -> TLSConfiguration {
        var result = TLSConfiguration(role: .server)
        result.certificateChainFile = configuration.resolve(tls.certificate)
        result.privateKeyFile = configuration.resolve(tls.key)
        result.trustAnchorsFile = configuration.resolve(tls.clientCA)
        result.revocationListsFile = tls.crl.map(configuration.resolve)
        result.privateKeyPassphrase = tls.keyPassphrase?.source(configuration)
        // Some 10 KiB each.
        result.sessionCacheCount = 4096
        result.sessionLifetime = Int(tls.resumption)
        result.keyLogFile = tls.keyLog.map(configuration.resolve)
        result.minimumVersion = TLSVersion(rawValue: tls.minimumVersion) ?? .tls13
        if let suites = tls.cipherSuites { result.cipherSuites = suites }
        if let ciphers = tls.ciphers { result.cipherList = ciphers.joined(separator: ":") }
        if let groups = tls.groups { result.groups = groups }
        if isForPeers {
            result.applicationProtocols = [RelayStatement.applicationProtocol]
            return result
        }
        result.applicationProtocols = [GatewaySession.applicationProtocol]
        if configuration.sessions.isOffered {
            result.applicationProtocols.append(PersistentSession.applicationProtocol)
        }
        return result
    }

    /// Whether an entry asks for a program at this path, so that it is worth making certain that it is what runs.
    public func asksFor(executable path: String) -> Bool {
        executables.contains { $0.matches(path) }
    }

    /// The session of a client whose certificate has been verified.
    ///
    /// - Throws: Why the certificate's owner may not connect.
    public func session(for identity: CertificateIdentity) throws(CloseReason) -> GatewaySession {
        try session(for: .certificate(identity))
    }

    /// The session of a client whose identity is proved.
    ///
    /// - Throws: Why the client may not connect.
    public func session(for identity: PeerIdentity) throws(CloseReason) -> GatewaySession {
        GatewaySession(try terms(for: identity))
    }

    /// What the session of a client whose identity is proved goes by.
    ///
    /// - Throws: Why the client may not connect.
    public func terms(for identity: PeerIdentity) throws(CloseReason) -> SessionTerms {
        try configuration.denyList.check(identity)
        let resolution = try identityMap.resolve(identity)
        let client = configuration.clients[resolution.entry]
        let route = routes[resolution.entry]
        return SessionTerms(
            resolution: resolution,
            policy: client.policy,
            shadow: configuration.shadow.map { SessionTerms.Shadow(policy: $0, identity: identity) },
            upstreams: route.upstreams,
            routes: route.table,
            limits: configuration.limits,
            clientLimits: client.limits,
            answers: configuration.answers,
            recording: configuration.audit.flatMap(RequestRecording.init)
        )
    }
}
