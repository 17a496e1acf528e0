// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// How a bridge ends: in order, when both sides have finished, or because the gateway decides to.
extension Bridge {
    /// How long a client that was told to go may take to read it.
    static let lingerTime: UInt64 = 1_000_000_000

    // MARK: In order

    /// Passes ends of streams on, once everything before them has been passed.
    func advance() {
        if let persistence, phase == .open { return advancePersistent(persistence) }
        if client.isLost, !client.hasEnded {
            logClosing(CloseReason(.connectionLost, "the connection to the client was lost"))
            // A frame that had begun goes with the connection; those before it were accepted.
            client.endLost()
            clientHasMore = false
        }
        if let failure = client.failure, !clientHasMore { return close(failure) }
        if client.hasEnded, !clientHasMore { clientEnded() }
        guard phase != .lingering, clientHandle != nil else { return }
        for link in links where link.hasEnded && !link.hasMore {
            upstreamEnded(link)
            guard phase != .lingering, clientHandle != nil else { return }
        }
        if client.hasEnded, !clientHasMore, links.isEmpty { client.finishSending() }
        // What the client has asked for before it went still belongs to the servers.
        let serversHaveAll = links.allSatisfy { $0.isGone || $0.hasShutDown }
        if client.hasEnded, client.hasShutDown || client.isLost, serversHaveAll { return finished() }
        let oneHasEnded = client.hasEnded || links.contains(where: \.hasEnded)
        let drain = snapshot.configuration.timeouts.drain
        deadlines.closing = oneHasEnded && !isHeldBack ? lastActivity + drain : .max
    }

    private func clientEnded() {
        if !client.pending.isEmpty {
            let message = "the client's connection ended inside a frame (\(client.pending.count) bytes of it had come)"
            return close(CloseReason(.endedInsideFrame, message))
        }
        if clientEndedFirst == nil { clientEndedFirst = true }
        perform(session?.clientEnded(at: reactor.now) ?? [])
        // Even a server that is gone may have left something to read; `upstreamEnded` comes after that.
        for link in links { link.shutDownIfFlushed() }
    }

    func upstreamEnded(_ link: UpstreamLink) {
        let name = upstreamName(link.index)
        if !link.pending.isEmpty {
            let message = "the local server '\(name)' closed inside a frame (\(link.pending.count) bytes had come)"
            return lose(link.index, CloseReason(.upstreamMalformed, message), wasReached: true)
        }
        if let persistence, session?.survivesLoss(of: link.index) != true {
            // The client may be away, and has to have everything before it is told.
            persistence.isEnding = true
            return
        }
        guard isTransparent else {
            if client.hasEnded {
                drop(link)
                return perform(session?.lostUpstream(link.index, wasReached: true, at: reactor.now) ?? [])
            }
            let reason = CloseReason(.upstreamClosed, "the local server '\(name)' closed the connection")
            return lose(link.index, reason, wasReached: true)
        }
        if clientEndedFirst == nil { clientEndedFirst = false }
        if link.isGone, !client.hasEnded {
            let when = session?.isReady(link.index) == true ? "" : " before it said Initialize"
            return close(CloseReason(.upstreamClosed, "the local server '\(name)' closed the connection\(when)"))
        }
        client.finishSending()
    }

    private func finished() {
        if client.isLost || client.isDeaf {
            let message = "the client finished, and was gone before it had every answer"
            logClosing(CloseReason(.connectionLost, message))
        } else if clientEndedFirst == false {
            let name = upstreamName(0)
            logClosing(CloseReason(.upstreamClosed, "the local server '\(name)' finished, then the client"))
        } else {
            logClosing(CloseReason(.finished, "the client finished"))
        }
        dispose()
    }

    // MARK: By decision

    /// Ends the connection: the server hears at once, the client is told why and gets time to read it.
    func close(_ reason: CloseReason) {
        guard phase != .lingering, clientHandle != nil else { return }
        peerDial?.cancel()
        peerDial = nil
        pump()
        noteCut(reason)
        if phase == .handshaking, !client.isEstablished { environment.meter.handshakeEnded(reason.code.rawValue) }
        phase = .lingering
        logClosing(reason)
        dropUpstreams()
        endHandshake()
        client.pending = ByteQueue()
        clientHasMore = false
        deadlines = BridgeDeadlines()
        noteActivity()
        // What happens to a connection before it has said which session it wants says nothing about that session.
        let isUndecided = persistence.map { !$0.isOpen && $0.wantedToken == nil } ?? false
        if isUndecided, reason.isAboutConnection {
            // Nothing: it is a loss, and the client tries again.
        } else if let code = reason.clientCode {
            let text = reason.clientText(isLocal: client.isLocal)
            endListing(.init(code, text))
            sendError(code, text)
        } else {
            persistence?.session.sendDisconnect()
            pump()
            if reason.code == .upstreamClosed {
                endListing(.init(.upstreamUnavailable, "the server behind the gateway has ended the session"))
            }
        }
        client.flush()
        if client.isEstablished {
            client.finishSending()
        } else {
            client.abandonSending()
        }
    }

    /// A newcomer's place is needed for another.
    func makeRoom() {
        environment.newcomerMakesRoom()
        close(CloseReason(.newcomerLimit, "too many connections wait to be authenticated, and this one longest"))
        dispose()
    }

    func refuseIncompleteBytes() {
        let limit = snapshot.configuration.limits.incompleteBytes
        let message = "incomplete frames hold more than \(limit) bytes over all connections (limits.incompleteBytes)"
        // That is as much the others' doing: a session waits for a better time.
        loseClient(CloseReason(.incompleteLimit, message))
    }

    /// Sends a Control frame that says why; plain clients ignore it, our own client shows it.
    func sendError(_ code: SessionCode, _ reason: String) {
        guard client.isEstablished else { return }
        let frame = Frame(type: .control, body: SessionControl.error(code, reason: reason).encoded()).encoded()
        frame.withUnsafeBytes { try? client.send($0) }
    }

    /// Lets the client read what was sent last, for a while.
    func advanceLingering() {
        if client.isLost || client.isDeaf || client.hasEnded && client.hasShutDown { return dispose() }
        // What was queued before the end still belongs to the client, for as long as it takes some of it.
        let waits = lingersForBacklog && client.backlogByteCount > 0
        let allowed = waits ? snapshot.configuration.timeouts.drain : Self.lingerTime
        deadlines.closing = min(lastActivity + allowed, lingerLimit)
    }

    // MARK: Deadlines

    /// Does what the earliest deadline asks for.
    func deadlineExpired() {
        let timeouts = snapshot.configuration.timeouts
        let now = reactor.now
        if phase == .lingering { return dispose() }
        if deadlines.rest <= now {
            deadlines.rest = .max
            // What the socket holds is reported now, and is no silence.
            noteActivity()
            return client.stopAwaitingRest()
        }
        if let link = links.first(where: { $0.redialDeadline <= now }) { return connect(link) }
        if deadlines.session <= now { return sessionExpired() }
        if deadlines.persistence <= now { return persistentExpired() }
        if deadlines.grace <= now {
            let time = Self.text(persistence?.graceTime ?? 0)
            return close(
                CloseReason(.sessionExpired, "the client did not come back within \(time) (sessions.graceTime)")
            )
        }
        if deadlines.leaving <= now { return leavingExpired() }
        if deadlines.clientRate <= now || deadlines.upstreamRate <= now {
            // What the sockets hold is reported again.
            noteActivity()
            if deadlines.clientRate <= now { deadlines.clientRate = .max }
            if deadlines.upstreamRate <= now { deadlines.upstreamRate = .max }
        } else if deadlines.client <= now {
            if phase == .handshaking {
                let what = client.proxy?.isInsideHeader == true ? "PROXY header and TLS handshake" : "TLS handshake"
                let message = "no \(what) within \(Self.text(timeouts.handshake))"
                close(CloseReason(.handshakeTimeout, message))
            } else {
                close(CloseReason(.contextTimeout, "no context within \(Self.text(timeouts.context))"))
            }
        } else if deadlines.frame <= now {
            let message = "the rest of a frame did not come in time (\(client.pending.count) bytes of it had)"
            loseClient(CloseReason(.frameTimeout, message))
        } else if let link = links.first(where: { $0.readyDeadline <= now }) {
            upstreamExpired(link, timeouts.upstream)
        } else {
            silenceExpired(timeouts, now)
        }
    }

    /// The client's connection is of no use any more. A session waits for another one.
    private func loseClient(_ reason: CloseReason) {
        if persistence != nil, phase == .open { detach(reason) } else { close(reason) }
    }

    private func upstreamExpired(_ link: UpstreamLink, _ timeout: UInt64) {
        if link.state == .connected, !mayRead(link) {
            // Its Initialize may have come, but the client does not keep up and the server is not read.
            link.readyDeadline = reactor.now + timeout
            return
        }
        let path = upstreamPath(link.index)
        let what = link.state == .connected ? "did not say Initialize" : "did not accept a connection"
        let message = "the local server at \(path) \(what) within \(Self.text(timeout))"
        lose(link.index, CloseReason(.upstreamTimeout, message), wasReached: link.state == .connected)
    }

    /// Deadlines after which nobody is expected to take what is still queued.
    private func silenceExpired(_ timeouts: GatewayTimeouts, _ now: UInt64) {
        // Nobody is expected to take what is queued any more.
        lingersForBacklog = false
        defer { lingersForBacklog = lingersForBacklog || phase != .lingering }
        if deadlines.clientStall <= now {
            let message = "the client has taken nothing of what is queued for it for \(Self.text(timeouts.stall))"
            loseClient(CloseReason(.stallTimeout, message))
        } else if let link = links.first(where: { $0.stallDeadline <= now }) {
            let server = isTransparent ? "the local server" : "the local server '\(upstreamName(link.index))'"
            let message = "\(server) has taken nothing of what is queued for it for \(Self.text(timeouts.stall))"
            lose(link.index, CloseReason(.stallTimeout, message), wasReached: true)
        } else if deadlines.idle <= now, let idle = timeouts.idle {
            loseClient(CloseReason(.idleTimeout, "nothing came from either side for \(Self.text(idle))"))
        } else if deadlines.closing <= now {
            let side = links.allSatisfy(\.hasEnded) ? "the client" : "the local server"
            let message =
                "\(side) neither sent nor finished for \(Self.text(timeouts.drain)) after the other had finished"
            close(CloseReason(.drainTimeout, message))
        }
    }

    private static func text(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}

extension CloseReason {
    /// The reason that a failure of TLS is.
    init(_ error: TLSError) {
        let code: Code =
            switch error.code {
            case .other: Code(rawValue: "tls-failure")
            case .misuse: .gatewayFailure
            default: Code(rawValue: error.code.rawValue)
            }
        self.init(code, error.message)
    }

    /// Whether the reason is how the connection fared, or how busy the gateway was, and not what the client said.
    fileprivate var isAboutConnection: Bool {
        [.contextTimeout, .frameTimeout, .stallTimeout, .newcomerLimit, .incompleteLimit, .gatewayFailure].contains(
            code
        )
    }

    /// The code a client is told; nil where it is told nothing, as for ends in order.
    fileprivate var clientCode: SessionCode? {
        switch code {
        case .finished, .closedBeforeHandshake, .connectionLost, .upstreamClosed, .endedInsideFrame: nil
        case .identityNotMapped, .identityAmbiguous, .identityRefused, .contextNotAllowed, .certificateDenied:
            .notAllowed
        case .upstreamUnavailable, .upstreamTimeout, .upstreamMalformed: .upstreamUnavailable
        case .stopping, .serversChanged: .draining
        case .contextTimeout, .drainTimeout, .frameTimeout, .idleTimeout, .stallTimeout, .clientLimit, .identityLimit,
            .newcomerLimit, .incompleteLimit, .gatewayFailure, .detachedLimit:
            .limit
        default:
            // Reasons of sessions have the name that the client is told.
            SessionCode.all.first { $0.rawValue == code.rawValue } ?? .malformed
        }
    }

    /// What a client is told: nothing about the inside of the gateway's host.
    fileprivate func clientText(isLocal: Bool) -> String {
        switch code {
        case .identityNotMapped, .identityAmbiguous, .identityRefused, .certificateDenied:
            isLocal
                ? "this user, group or program is no client of this gateway"
                : "the certificate names no client of this gateway"
        case .upstreamUnavailable, .upstreamTimeout, .upstreamMalformed:
            "the server behind the gateway is not available"
        case .revoked: "this client may not be connected any more"
        case .serversChanged: "this client is led to other servers now; connect anew"
        case .contextNotAllowed: "this client may not have the context it announces"
        case .clientLimit, .identityLimit: "there are too many clients"
        case .stallTimeout: "what was queued was not taken in time"
        case .stopping: "the gateway is stopping"
        case .gatewayFailure: "the gateway cannot go on with this connection"
        default: message
        }
    }
}
