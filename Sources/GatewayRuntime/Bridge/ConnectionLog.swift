// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging
internal import TLSEngine

/// What is said about one connection: a line when a client is accepted, and one when the connection closes.
struct ConnectionLog {
    /// What is in every line about the connection.
    ///
    /// Kept as what it is, and made a dictionary when a line is written: connections that are there and say nothing are
    /// many, and a dictionary for each would be the larger part of what the log costs them.
    private enum Key: String, CaseIterable {
        case peer, proxy, tls, cipher, group, subject, fingerprint, identity, context, upstream, relayedBy
    }

    private let logger: Logger
    private var facts: [(key: Key, value: String)] = []
    private let openedAt: UInt64
    private var isClosed = false
    private var deniedBefore = false
    private var lostBefore = false

    init(logger: Logger, peer: String?, openedAt: UInt64) {
        self.logger = logger
        self.openedAt = openedAt
        if let peer { self[.peer] = peer }
    }

    private subscript(_ key: Key) -> String? {
        get { facts.first { $0.key == key }?.value }
        set {
            facts.removeAll { $0.key == key }
            if let newValue { facts.append((key, newValue)) }
        }
    }

    /// The facts, and what is to be said now.
    private func metadata(_ others: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = others
        for fact in facts where metadata[fact.key.rawValue] == nil { metadata[fact.key.rawValue] = "\(fact.value)" }
        return metadata
    }

    /// The connection is a proxy's, which has said whose it is.
    mutating func comesThroughProxy(_ client: String, _ proxy: String?) {
        self[.peer] = client
        if let proxy { self[.proxy] = proxy }
    }

    mutating func established(_ negotiated: NegotiatedTLS?) {
        guard let negotiated else { return }
        self[.tls] = negotiated.version.rawValue
        self[.cipher] = negotiated.cipher
        if let group = negotiated.group { self[.group] = group }
    }

    mutating func identified(_ identity: PeerIdentity) {
        // What there is to say of a local client is its peer already.
        guard case .certificate(let certificate) = identity else { return }
        self[.subject] = certificate.subject
        self[.fingerprint] = certificate.fingerprint
    }

    mutating func accepted(_ session: GatewaySession) {
        let resolution = session.terms.resolution
        self[.identity] = "\(resolution.field.rawValue) \(resolution.value)"
        self[.context] = session.contextText
        self[.upstream] = session.terms.upstreams.map(\.name).joined(separator: ",")
        logger.info("client accepted", metadata: metadata())
    }

    /// The client goes on by another configuration.
    func judged(_ session: GatewaySession, _ generation: Int) {
        logger.debug("client judged again", metadata: metadata(["generation": "\(generation)"]))
    }

    /// The first denial of a connection is news, further ones are detail; the closing line counts them all.
    mutating func denied(_ denial: GatewaySession.Denial) {
        logger.log(
            level: deniedBefore ? .debug : .notice,
            "request denied",
            metadata: metadata(["request": "\(denial)", "detail": "\(denial.reason)"])
        )
        deniedBefore = true
    }

    /// One of several servers is gone. Each client tells of the first loss only, because all of them lose it at once.
    mutating func lost(_ upstream: String, _ reason: CloseReason) {
        let metadata: Logger.Metadata = [
            "lost": "\(upstream)", "reason": "\(reason.code.rawValue)", "detail": "\(reason.message)",
        ]
        logger.log(
            level: lostBefore ? .debug : .warning,
            "server lost; the client stays",
            metadata: self.metadata(metadata)
        )
        lostBefore = true
    }

    /// The client of a session is away.
    func detached(_ reason: CloseReason, _ persistence: Persistence) {
        let metadata: Logger.Metadata = [
            "session": "\(persistence.token.label)", "reason": "\(reason.code.rawValue)", "detail": "\(reason.message)",
            "unacknowledged": "\(persistence.session.unacknowledgedCount)",
            "graceSeconds": "\(persistence.graceTime / 1_000_000_000)",
        ]
        logger.info("client lost; its session waits", metadata: self.metadata(metadata))
    }

    /// The client of a session is back, with another connection.
    mutating func resumed(_ arrived: ConnectionLog, _ persistence: Persistence) {
        for key in [Key.peer, .proxy, .tls, .cipher, .group, .subject, .fingerprint] { self[key] = arrived[key] }
        let metadata: Logger.Metadata = [
            "session": "\(persistence.token.label)",
            "unacknowledged": "\(persistence.session.unacknowledgedCount)",
        ]
        logger.info("client resumed its session", metadata: self.metadata(metadata))
    }

    /// Another gateway brings the client.
    mutating func relayed(by gateway: String, peer: String?) {
        self[.relayedBy] = gateway
        if let peer { self[.peer] = peer }
    }

    /// The client goes to another gateway; what is said of it from now on.
    func relayed(to gateway: PeerSettings.Gateway, _ token: SessionToken?) -> Logger {
        var logger = logger
        for (key, value) in metadata(["gateway": "\(gateway.name)"]) { logger[metadataKey: key] = value }
        if let token { logger[metadataKey: "session"] = "\(token.label)" }
        return logger
    }

    /// The gateway that has the client's session does not answer.
    func peerNotReached(_ gateway: PeerSettings.Gateway, _ reason: String) {
        let metadata: Logger.Metadata = [
            "gateway": "\(gateway.name)", "address": "\(gateway.address)", "detail": "\(reason)",
        ]
        logger.warning("a peer cannot be reached", metadata: self.metadata(metadata))
    }

    /// Writes the closing line, once.
    mutating func closed(_ reason: CloseReason, _ bridge: Bridge) {
        guard !isClosed else { return }
        isClosed = true
        let level = Self.level(of: reason.code)
        bridge.noteClosing(reason, isRefusal: level == .notice)
        guard logger.logLevel <= level else { return }
        var metadata = metadata([
            "reason": "\(reason.code.rawValue)",
            "detail": "\(reason.message)",
            "bytesIn": "\(bridge.bytesIn)",
            "bytesOut": "\(bridge.bytesOut)",
            "framesIn": "\(bridge.session?.framesFromClient ?? 0)",
            "framesOut": "\(bridge.session?.framesFromServer ?? 0)",
            "denied": "\(bridge.session?.deniedCount ?? 0)",
            "strays": "\(bridge.session?.strayCount ?? 0)",
            "milliseconds": "\((bridge.reactor.now - openedAt) / 1_000_000)",
        ])
        if let session = bridge.session, session.terms.shadow != nil {
            metadata["shadow"] = "\(session.shadowCount)"
        }
        if let persistence = bridge.persistence { metadata["resumptions"] = "\(persistence.resumptionCount)" }
        logger.log(level: level, "connection closed", metadata: metadata)
    }

    private static func level(of code: CloseReason.Code) -> Logger.Level {
        switch code {
        case .closedBeforeHandshake, .newcomerLimit: .debug
        case .finished, .upstreamClosed, .stopping, .connectionLost: .info
        case .sessionExpired: .info
        case .upstreamUnavailable, .upstreamTimeout, .upstreamMalformed, .gatewayFailure: .warning
        default: .notice
        }
    }
}
