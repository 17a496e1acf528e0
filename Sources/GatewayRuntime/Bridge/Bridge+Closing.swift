// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// How a bridge ends: in order, when both sides have finished, or because the gateway decides to.
extension Bridge {
    /// How long a client that was told to go may take to read it.
    private static let lingerTime: UInt64 = 1_000_000_000

    // MARK: In order

    /// Passes ends of streams on, once everything before them has been passed.
    func advance() {
        if client.isLost, !client.hasEnded {
            log.closed(CloseReason(.connectionLost, "the connection to the client was lost"), self)
            // A frame that had begun goes with the connection; those before it were accepted.
            client.endLost()
            clientHasMore = false
        }
        if let failure = client.failure, !clientHasMore { return close(failure) }
        if client.hasEnded, !clientHasMore { clientEnded() }
        guard phase != .lingering, clientHandle != nil else { return }
        if let upstream, upstream.hasEnded, !upstreamHasMore { upstreamEnded(upstream) }
        guard phase != .lingering, clientHandle != nil else { return }
        // What the client has asked for before it went still belongs to the server.
        let serverHasAll = upstream.map { $0.isGone || $0.hasShutDown } ?? true
        if client.hasEnded, client.hasShutDown || client.isLost, serverHasAll { return finished() }
        let oneHasEnded = client.hasEnded || upstream?.hasEnded == true
        deadlines.closing = oneHasEnded ? lastActivity + snapshot.configuration.timeouts.drain : .max
    }

    private func clientEnded() {
        if !client.pending.isEmpty {
            let message = "the client's connection ended inside a frame (\(client.pending.count) bytes of it had come)"
            return close(CloseReason(.endedInsideFrame, message))
        }
        if clientEndedFirst == nil { clientEndedFirst = true }
        guard let upstream else { return client.finishSending() }
        // Even a server that is gone may have left something to read; `upstreamEnded` comes after that.
        upstream.shutDownIfFlushed()
    }

    private func upstreamEnded(_ upstream: UpstreamLink) {
        let name = session?.upstream.name ?? ""
        if !upstream.pending.isEmpty {
            let message = "the local server '\(name)' closed inside a frame (\(upstream.pending.count) bytes had come)"
            return close(CloseReason(.upstreamMalformed, message))
        }
        if clientEndedFirst == nil { clientEndedFirst = false }
        if upstream.isGone, !client.hasEnded {
            let when = session?.serverIsReady == true ? "" : " before it said Initialize"
            return close(CloseReason(.upstreamClosed, "the local server '\(name)' closed the connection\(when)"))
        }
        client.finishSending()
    }

    private func finished() {
        if client.isLost || client.isDeaf {
            let message = "the client finished, and was gone before it had every answer"
            log.closed(CloseReason(.connectionLost, message), self)
        } else if clientEndedFirst == false {
            let name = session?.upstream.name ?? ""
            log.closed(CloseReason(.upstreamClosed, "the local server '\(name)' finished, then the client"), self)
        } else {
            log.closed(CloseReason(.finished, "the client finished"), self)
        }
        dispose()
    }

    // MARK: By decision

    /// Ends the connection: the server hears at once, the client is told why and gets time to read it.
    func close(_ reason: CloseReason) {
        guard phase != .lingering, clientHandle != nil else { return }
        phase = .lingering
        log.closed(reason, self)
        dropUpstream()
        client.pending = ByteQueue()
        clientHasMore = false
        upstreamHasMore = false
        deadlines = BridgeDeadlines()
        noteActivity()
        if client.isEstablished, let code = reason.clientCode {
            let frame = Self.errorFrame(code, reason.clientText)
            frame.withUnsafeBytes { try? client.send($0) }
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
        close(CloseReason(.incompleteLimit, message))
    }

    /// A Control frame that says why; plain clients ignore it, our own client shows it.
    private static func errorFrame(_ code: String, _ reason: String) -> [UInt8] {
        let members: IPCObject = [
            "type": "error", "code": .string(IPCString(code)), "reason": .string(IPCString(reason)),
        ]
        return Frame(type: .control, id: 0, ack: 0, body: JSONText.write(.object(members)) ?? []).encoded()
    }

    /// Lets the client read what was sent last, for a while.
    func advanceLingering() {
        if client.isLost || client.isDeaf || client.hasEnded && client.hasShutDown { return dispose() }
        // What was queued before the end still belongs to the client, for as long as it takes some of it.
        let waits = lingersForBacklog && client.backlogByteCount > 0
        let allowed = waits ? snapshot.configuration.timeouts.drain : Self.lingerTime
        deadlines.closing = lastActivity + allowed
    }

    // MARK: Deadlines

    /// Does what the earliest deadline asks for.
    func deadlineExpired() {
        let timeouts = snapshot.configuration.timeouts
        let now = reactor.now
        if phase == .lingering { return dispose() }
        if deadlines.redial <= now { return connectUpstream() }
        if deadlines.client <= now {
            if phase == .handshaking {
                let message = "no TLS handshake within \(Self.text(timeouts.handshake))"
                close(CloseReason(.handshakeTimeout, message))
            } else {
                close(CloseReason(.contextTimeout, "no context within \(Self.text(timeouts.context)) of the handshake"))
            }
        } else if deadlines.frame <= now {
            let message = "the rest of a frame did not come in time (\(client.pending.count) bytes of it had)"
            close(CloseReason(.frameTimeout, message))
        } else if deadlines.upstream <= now {
            upstreamExpired(timeouts.upstream)
        } else {
            silenceExpired(timeouts, now)
        }
    }

    private func upstreamExpired(_ timeout: UInt64) {
        if upstream?.state == .connected, !upstreamMayRead {
            // Its Initialize may have come, but the client does not keep up and the server is not read.
            deadlines.upstream = reactor.now + timeout
            return
        }
        let path = session.map { snapshot.configuration.resolve($0.upstream.unix) } ?? ""
        let what = upstream?.state == .connected ? "did not say Initialize" : "did not accept a connection"
        close(CloseReason(.upstreamTimeout, "the local server at \(path) \(what) within \(Self.text(timeout))"))
    }

    /// Deadlines after which nobody is expected to take what is still queued.
    private func silenceExpired(_ timeouts: GatewayTimeouts, _ now: UInt64) {
        lingersForBacklog = false
        if deadlines.clientStall <= now || deadlines.upstreamStall <= now {
            let side = deadlines.clientStall <= now ? "client" : "local server"
            let message = "the \(side) has taken nothing of what is queued for it for \(Self.text(timeouts.stall))"
            close(CloseReason(.stallTimeout, message))
        } else if deadlines.idle <= now, let idle = timeouts.idle {
            close(CloseReason(.idleTimeout, "nothing came from either side for \(Self.text(idle))"))
        } else if deadlines.closing <= now {
            let side = upstream.map(\.hasEnded) ?? true ? "the client" : "the local server"
            let message =
                "\(side) neither sent nor finished for \(Self.text(timeouts.drain)) after the other had finished"
            close(CloseReason(.drainTimeout, message))
        } else {
            lingersForBacklog = true
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

    /// The code a client is told; nil where it is told nothing, as for ends in order.
    fileprivate var clientCode: String? {
        switch code {
        case .finished, .closedBeforeHandshake, .connectionLost, .upstreamClosed, .endedInsideFrame: nil
        case .identityNotMapped, .identityAmbiguous, .identityRefused, .contextNotAllowed, .certificateDenied:
            "not-allowed"
        case .upstreamUnavailable, .upstreamTimeout, .upstreamMalformed: "upstream-unavailable"
        case .stopping: "draining"
        case .contextTimeout, .drainTimeout, .frameTimeout, .idleTimeout, .stallTimeout, .clientLimit, .newcomerLimit,
            .incompleteLimit, .gatewayFailure:
            "limit"
        default: "malformed"
        }
    }

    /// What a client is told: nothing about the inside of the gateway's host.
    fileprivate var clientText: String {
        switch code {
        case .identityNotMapped, .identityAmbiguous, .identityRefused, .certificateDenied:
            "the certificate names no client of this gateway"
        case .upstreamUnavailable, .upstreamTimeout, .upstreamMalformed:
            "the server behind the gateway is not available"
        case .contextNotAllowed: "this client may not have the context it announces"
        case .gatewayFailure: "the gateway cannot go on with this connection"
        default: message
        }
    }
}
