// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// Clients that are lost, and come back.
extension Bridge {
    // MARK: Lost

    /// The connection is gone, the session stays: its servers notice nothing.
    func detach(_ reason: CloseReason) {
        guard let persistence, !persistence.isDetached, phase == .open, clientHandle != nil else { return }
        persistence.absentee = client.proof
        letGoOfClient()
        persistence.session.connectionLost()
        if persistence.isGoingAway {
            return close(CloseReason(.stopping, "the gateway is stopping, and the client was lost"))
        }
        let limits = snapshot.configuration.sessions
        countHeldBytes(persistence)
        guard environment.sessions.load.byteCount <= limits.keptBytes,
            (identityLoad?.sessions.byteCount ?? 0) <= limits.perIdentity.keptBytes
        else {
            let message = "what waits for clients does not fit into the bound on all of them (sessions.keptBytes)"
            return close(CloseReason(.detachedLimit, "\(reason.message); \(message)"))
        }
        guard environment.sessions.load.add(limit: limits.detached) else {
            let message = "\(limits.detached) sessions wait for their clients already (sessions.detached)"
            return close(CloseReason(.detachedLimit, "\(reason.message); \(message)"))
        }
        guard identityLoad?.sessions.add(limit: limits.perIdentity.detached) != false else {
            environment.sessions.load.remove()
            let count = limits.perIdentity.detached
            let message = "\(count) sessions of its identity wait already (sessions.perIdentity.detached)"
            return close(CloseReason(.detachedLimit, "\(reason.message); \(message)"))
        }
        persistence.isDetached = true
        environment.meter.sessionsDetached += 1
        deadlines.grace = reactor.now + persistence.graceTime
        log.detached(reason, persistence)
        audit?.detached(reason, at: reactor.now)
    }

    /// Parts with the connection, and forgets what belonged to it.
    private func letGoOfClient() {
        if let clientHandle { reactor.unwatch(clientHandle) }
        // A buffer of the thread's, which is another's next.
        client.flushOutput()
        if client.socketNumber >= 0 { environment.meter.closed(at: carrierListener ?? listener.index) }
        earlierBytesIn += client.receivedByteCount
        earlierBytesOut += client.sentByteCount
        client = ClientLink(goneFrom: reactor.scratch)
        carrierListener = nil
        clientHasMore = false
        clientHasHungUp = false
        clientStall = StallWatch()
        pendingFrame = nil
        countIncompleteBytes()
    }

    /// The session does not wait any more, for whatever reason.
    func endDetachment() {
        guard let persistence, persistence.isDetached else { return }
        persistence.isDetached = false
        persistence.absentee = nil
        deadlines.grace = .max
        environment.sessions.load.remove()
        identityLoad?.sessions.remove()
    }

    // MARK: Coming back

    /// Gives the connection to the session that the client wants.
    func handOver(_ token: String) {
        guard let resolution = session?.terms.resolution, phase == .announcing, peerDial == nil else { return }
        if client.isOver {
            // Its client has given it up, and may be back already over another.
            return close(CloseReason(.connectionLost, "the client was gone before it had its session"))
        }
        if let keeper = keeper(of: token) { return relay(token, to: keeper) }
        let home: SessionTable.Home
        do throws(SessionTable.Refusal) {
            home = try environment.sessions.find(token, for: resolution)
        } catch {
            return refuse(error, resolution)
        }
        client.flush()
        let arrival = Arrival(
            client: client,
            peer: peer,
            listener: listener,
            tlsListener: tlsListener,
            carrierListener: carrierListener,
            log: log,
            token: token,
            resolution: resolution,
            snapshot: snapshot,
            edition: environment.edition
        )
        if let clientHandle { reactor.unwatch(clientHandle) }
        client = ClientLink(goneFrom: reactor.scratch)
        dispose()
        home.thread.send(arrival, to: home.handle)
    }

    private func refuse(_ refusal: SessionTable.Refusal, _ resolution: IdentityMap.Resolution) {
        auditRefusedResume(refusal.code, resolution)
        close(CloseReason(CloseReason.Code(rawValue: refusal.code.rawValue), refusal.reason))
    }

    /// Brings a client to the session that it wants, or tells it why it does not get it.
    ///
    /// - Parameter handle: The session's place on this thread, if it is still there.
    static func receive(_ arrival: Arrival, at handle: Reactor.Handle, environment: BridgeEnvironment) {
        // It may come from a thread that has a newer configuration already, or from one that has not got this one's yet.
        environment.adopt(arrival.edition)
        if environment.isDraining {
            return refuse(arrival, CloseReason(.stopping, "the gateway is stopping"), environment)
        }
        let bridge = environment.reactor.handler(of: handle) as? Bridge
        bridge?.judgeAnew()
        do {
            let resolution = try arrival.resolution(by: environment)
            guard let bridge, bridge.isResumable, let owner = bridge.owner else {
                throw SessionTable.Refusal(.unknownSession, "the session has ended")
            }
            if let code = owner.refusal(of: resolution, limits: bridge.snapshot.configuration.limits.wire) {
                throw SessionTable.Refusal(code)
            }
            bridge.resume(arrival)
        } catch {
            refuse(arrival, error, environment)
        }
    }

    private static func refuse(
        _ arrival: Arrival,
        _ error: any Error,
        _ environment: BridgeEnvironment
    ) {
        arrival.client.move(to: environment.reactor.scratch)
        let bridge = Bridge(
            client: arrival.client,
            peer: arrival.peer,
            listener: arrival.listener,
            environment: environment
        )
        bridge.isInHandshake = false
        bridge.log = arrival.log
        bridge.start()
        switch error {
        case let reason as CloseReason: bridge.close(reason)
        case let failure as TLSError: bridge.close(CloseReason(failure))
        default:
            var refusal = error as? SessionTable.Refusal ?? SessionTable.Refusal(.unknownSession, "\(error)")
            if refusal.code == .unknownSession { refusal = environment.fate(of: arrival) ?? refusal }
            bridge.refuse(refusal, arrival.resolution)
        }
        bridge.settle()
    }

    /// To whom the session belongs.
    private var owner: SessionOwner? {
        guard let session, let context = session.context else { return nil }
        return SessionOwner(session.terms.resolution, context: context)
    }

    /// Whether a client may come back to this session.
    var isResumable: Bool {
        guard let persistence, phase == .open, clientHandle != nil else { return false }
        return !persistence.session.isDisconnectedByPeer && persistence.session.failure == nil
    }

    /// The client is back. A connection that it had, and that the gateway has not seen die, makes room.
    func resume(_ arrival: Arrival) {
        guard let persistence, !arrival.client.isOver else {
            return environment.meter.closed(at: arrival.listener.index)
        }
        if !persistence.isDetached {
            sendError(.takenOver, "the session goes on over another connection")
            letGoOfClient()
            persistence.session.connectionLost()
        }
        endDetachment()
        tlsListener = arrival.tlsListener
        carrierListener = arrival.carrierListener
        client = arrival.client
        client.move(to: reactor.scratch)
        peer = arrival.peer
        // Who is brought counts where it came itself before.
        if carrierListener == nil { move(to: arrival.listener) }
        persistence.resumptionCount += 1
        environment.meter.sessionsResumed += 1
        log.resumed(arrival.log, persistence)
        audit?.resumed(client, peer: peer, proxy: proxyName, at: reactor.now)
        noteActivity()
        persistence.session.beginReconnection(at: reactor.now)
        do throws(SessionFailure) {
            try persistence.session.sendControl(persistence.welcome)
        } catch {
            close(CloseReason(error))
        }
        // What came behind its first word; messages are refused until it has its answer.
        judgePendingFromClient()
        if phase == .open { persistence.session.endReconnection(at: reactor.now) }
        settle()
    }

    /// The client counts at the listener that it has come through last.
    private func move(to other: ListenerLoad) {
        guard other !== listener else { return }
        if isListenersClient { listener.removeClient() }
        listener = other
        isListenersClient = other.addClient()
    }

    // MARK: The end

    /// Does for a client with a session what `advance` does for others: here an end of the stream is a loss, and the end is
    /// said.
    func advancePersistent(_ persistence: Persistence) {
        if !persistence.isDetached, !persistence.session.isDisconnectedByPeer {
            if let failure = client.failure, !clientHasMore {
                detach(failure)
            } else if client.isLost || client.isDeaf {
                detach(CloseReason(.connectionLost, "the connection to the client was lost"))
            } else if client.hasEnded, !clientHasMore {
                detach(CloseReason(.connectionLost, "the client's connection ended without a Disconnect"))
            }
        }
        guard phase == .open else { return }
        if persistence.session.isDisconnectedByPeer { return clientDisconnected() }
        for link in links where link.hasEnded && !link.hasMore {
            upstreamEnded(link)
            guard phase == .open else { return }
        }
        // What is not a message, as goAway, is written before the end.
        let hasEverything = !persistence.isDetached && persistence.session.unacknowledgedCount == 0
        if persistence.isEnding, hasEverything {
            close(
                CloseReason(
                    .upstreamClosed,
                    "the local server '\(upstreamName(0))' finished, and the client has it all"
                )
            )
        }
    }

    /// The client has said that its session is over; what it asked for before still belongs to the servers.
    private func clientDisconnected() {
        perform(session?.clientEnded(at: reactor.now) ?? [])
        for link in links { link.shutDownIfFlushed() }
        client.finishSending()
        if links.allSatisfy({ $0.isGone || $0.hasShutDown }) {
            logClosing(CloseReason(.finished, "the client ended its session"))
            return dispose()
        }
        deadlines.closing = lastActivity + snapshot.configuration.timeouts.drain
    }
}
