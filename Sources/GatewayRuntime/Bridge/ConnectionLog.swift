// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging
internal import TLSEngine

/// What is said about one connection: a line when a client is accepted, and one when the connection closes.
struct ConnectionLog {
    private var logger: Logger
    private let openedAt: UInt64
    private var isClosed = false
    private var deniedBefore = false
    private var lostBefore = false

    init(logger: Logger, peer: String?, openedAt: UInt64) {
        self.logger = logger
        self.openedAt = openedAt
        if let peer { self.logger[metadataKey: "peer"] = "\(peer)" }
    }

    /// The connection is a proxy's, which has said whose it is.
    mutating func comesThroughProxy(_ client: String, _ proxy: String?) {
        logger[metadataKey: "peer"] = "\(client)"
        if let proxy { logger[metadataKey: "proxy"] = "\(proxy)" }
    }

    mutating func established(_ negotiated: NegotiatedTLS?) {
        guard let negotiated else { return }
        logger[metadataKey: "tls"] = "\(negotiated.version.rawValue)"
        logger[metadataKey: "cipher"] = "\(negotiated.cipher)"
        if let group = negotiated.group { logger[metadataKey: "group"] = "\(group)" }
    }

    mutating func identified(_ identity: PeerIdentity) {
        // What there is to say of a local client is its peer already.
        guard case .certificate(let certificate) = identity else { return }
        logger[metadataKey: "subject"] = "\(certificate.subject)"
        logger[metadataKey: "fingerprint"] = "\(certificate.fingerprint)"
    }

    mutating func accepted(_ session: GatewaySession) {
        let resolution = session.terms.resolution
        logger[metadataKey: "identity"] = "\(resolution.field.rawValue) \(resolution.value)"
        logger[metadataKey: "context"] = "\(session.contextText)"
        logger[metadataKey: "upstream"] = "\(session.terms.upstreams.map(\.name).joined(separator: ","))"
        logger.info("client accepted")
    }

    /// The client goes on by another configuration.
    func judged(_ session: GatewaySession, _ generation: Int) {
        logger.debug("client judged again", metadata: ["generation": "\(generation)"])
    }

    /// The first denial of a connection is news, further ones are detail; the closing line counts them all.
    mutating func denied(_ denial: GatewaySession.Denial) {
        let metadata: Logger.Metadata = ["request": "\(denial)", "detail": "\(denial.reason)"]
        logger.log(level: deniedBefore ? .debug : .notice, "request denied", metadata: metadata)
        deniedBefore = true
    }

    /// One of several servers is gone. Each client tells of the first loss only, because all of them lose it at once.
    mutating func lost(_ upstream: String, _ reason: CloseReason) {
        let metadata: Logger.Metadata = [
            "lost": "\(upstream)", "reason": "\(reason.code.rawValue)", "detail": "\(reason.message)",
        ]
        logger.log(level: lostBefore ? .debug : .warning, "server lost; the client stays", metadata: metadata)
        lostBefore = true
    }

    /// The client of a session is away.
    func detached(_ reason: CloseReason, _ persistence: Persistence) {
        let metadata: Logger.Metadata = [
            "session": "\(persistence.token.label)", "reason": "\(reason.code.rawValue)", "detail": "\(reason.message)",
            "unacknowledged": "\(persistence.session.unacknowledgedCount)",
            "graceSeconds": "\(persistence.graceTime / 1_000_000_000)",
        ]
        logger.info("client lost; its session waits", metadata: metadata)
    }

    /// The client of a session is back, with another connection.
    mutating func resumed(_ arrived: ConnectionLog, _ persistence: Persistence) {
        for key in ["peer", "proxy", "tls", "cipher", "group", "subject", "fingerprint"] {
            logger[metadataKey: key] = arrived.logger[metadataKey: key]
        }
        let metadata: Logger.Metadata = [
            "session": "\(persistence.token.label)",
            "unacknowledged": "\(persistence.session.unacknowledgedCount)",
        ]
        logger.info("client resumed its session", metadata: metadata)
    }

    /// Another gateway brings the client.
    mutating func relayed(by gateway: String, peer: String?) {
        logger[metadataKey: "relayedBy"] = "\(gateway)"
        if let peer { logger[metadataKey: "peer"] = "\(peer)" }
    }

    /// The client goes to another gateway; what is said of it from now on.
    func relayed(to gateway: PeerSettings.Gateway, _ token: SessionToken?) -> Logger {
        var logger = logger
        logger[metadataKey: "gateway"] = "\(gateway.name)"
        if let token { logger[metadataKey: "session"] = "\(token.label)" }
        return logger
    }

    /// The gateway that has the client's session does not answer.
    func peerNotReached(_ gateway: PeerSettings.Gateway, _ reason: String) {
        let metadata: Logger.Metadata = [
            "gateway": "\(gateway.name)", "address": "\(gateway.address)", "detail": "\(reason)",
        ]
        logger.warning("a peer cannot be reached", metadata: metadata)
    }

    /// Writes the closing line, once.
    mutating func closed(_ reason: CloseReason, _ bridge: Bridge) {
        guard !isClosed else { return }
        isClosed = true
        bridge.noteClosing(reason, isRefusal: Self.level(of: reason.code) == .notice)
        var metadata: Logger.Metadata = [
            "reason": "\(reason.code.rawValue)",
            "detail": "\(reason.message)",
            "bytesIn": "\(bridge.bytesIn)",
            "bytesOut": "\(bridge.bytesOut)",
            "framesIn": "\(bridge.session?.framesFromClient ?? 0)",
            "framesOut": "\(bridge.session?.framesFromServer ?? 0)",
            "denied": "\(bridge.session?.deniedCount ?? 0)",
            "strays": "\(bridge.session?.strayCount ?? 0)",
            "milliseconds": "\((bridge.reactor.now - openedAt) / 1_000_000)",
        ]
        if let session = bridge.session, session.terms.shadow != nil {
            metadata["shadow"] = "\(session.shadowCount)"
        }
        if let persistence = bridge.persistence { metadata["resumptions"] = "\(persistence.resumptionCount)" }
        logger.log(level: Self.level(of: reason.code), "connection closed", metadata: metadata)
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
