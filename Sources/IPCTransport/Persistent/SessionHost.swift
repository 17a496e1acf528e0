// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore
internal import TLSEngine

/// The sessions of a listener, on one event loop.
final class SessionHost {
    let eventLoop: any EventLoop
    let transport: TransportOptions
    let hosting: SessionHosting
    let settings: SessionSettings
    private let admission: (@Sendable (ConnectingPeer) throws -> Void)?
    private let accept: @Sendable (PersistentConnection) -> Void
    private var sessions: [SessionToken: HostedSession] = [:]
    /// Those without a connection; who has waited longest comes first.
    private var detached: [SessionToken] = []
    /// Of those that were given up, so that who comes too late is told so. Bounded.
    private var expired: [SessionToken] = []
    private let name = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    private var generator = SystemRandomNumberGenerator()
    private var isClosed = false

    private static let expiredLimit = 1_000

    init(
        _ hosting: SessionHosting,
        eventLoop: any EventLoop,
        transport: TransportOptions,
        admission: (@Sendable (ConnectingPeer) throws -> Void)?,
        accept: @escaping @Sendable (PersistentConnection) -> Void
    ) {
        self.hosting = hosting
        self.eventLoop = eventLoop
        self.transport = transport
        self.admission = admission
        self.accept = accept
        settings = SessionEngine.settings(hosting.session, transport)
    }

    /// A connection was accepted, and its TLS handshake is complete.
    func greet(_ link: SessionLink) {
        SessionGreeter.greet(link, for: self)
    }

    // MARK: What clients ask for

    /// A new session.
    func open(over link: SessionLink, unread: [UInt8]) throws(SessionFailure) {
        guard !isClosed else {
            throw SessionFailure(.draining, "the server does not take new sessions any more")
        }
        try admit(link)
        guard sessions.count < hosting.maximumSessions else {
            throw SessionFailure(.limit, "the server has \(sessions.count) sessions, more it does not take")
        }
        let engine = SessionEngine(settings: settings, eventLoop: eventLoop, options: transport)
        engine.session.append(unread.span, at: SessionEngine.now)
        let token = SessionToken(keeper: name, using: &generator)
        let hosted = HostedSession(
            engine,
            token: token,
            identity: SessionIdentity(link.security?.certificate),
            host: self
        )
        engine.role = hosted
        sessions[token] = hosted
        hosted.agree { $0.open(at: SessionEngine.now) }
        let connection = PersistentConnection(engine)
        engine.attach(link)
        accept(connection)
    }

    /// A session that was there before.
    func resume(_ token: String, over link: SessionLink, unread: [UInt8]) throws(SessionFailure) {
        try admit(link)
        let key = SessionToken(token)
        guard let key, let hosted = sessions[key] else {
            guard key.map(expired.contains) != true else {
                throw SessionFailure(.sessionExpired, "nobody came back to the session in time")
            }
            throw SessionFailure(.unknownSession, "there is no such session here")
        }
        guard hosted.identity == SessionIdentity(link.security?.certificate) else {
            throw SessionFailure(.notYours, "the session belongs to another certificate")
        }
        // Its end was said already, over a connection that the client has given up.
        guard !hosted.isEnding else { throw SessionFailure(.unknownSession, "the session has ended") }
        remove(&detached, key)
        hosted.resume(over: link, unread: unread)
    }

    private func admit(_ link: SessionLink) throws(SessionFailure) {
        do {
            try admission?(ConnectingPeer(link))
        } catch {
            let reason = (error as? ConnectionEnd)?.reason ?? "the server refuses this client"
            throw SessionFailure(.notAllowed, reason)
        }
    }

    // MARK: What becomes of sessions

    /// A session has no connection any more.
    func detached(_ session: HostedSession) {
        guard !isClosed else { return session.giveUp("the server does not take connections any more") }
        detached.append(session.token)
        guard detached.count > hosting.maximumDetachedSessions, let oldest = sessions[detached[0]] else { return }
        oldest.giveUp("too many clients have lost their connection")
    }

    /// A session was given up, because nobody came back.
    func expired(_ session: HostedSession) {
        if expired.count >= Self.expiredLimit { expired.removeFirst(expired.count / 2 + 1) }
        expired.append(session.token)
    }

    /// A session is over.
    func ended(_ session: HostedSession) {
        sessions[session.token] = nil
        remove(&detached, session.token)
    }

    /// Nobody listens any more: who is there is asked to go, who is not cannot come back.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        for session in Array(sessions.values) { session.hostCloses() }
    }

    private func remove(_ keys: inout [SessionToken], _ key: SessionToken) {
        if let index = keys.firstIndex(of: key) { keys.remove(at: index) }
    }
}

@available(*, unavailable)
extension SessionHost: Sendable {}
