// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging

/// One client's connection from accept to close: the client's TLS or Unix socket on one side, the Unix sockets of
/// its local servers on the other, and between them the session, which judges every frame.
final class Bridge: EventHandler {
    enum Phase {
        /// TLS is being negotiated.
        case handshaking
        /// There is nothing to negotiate any more; the context is awaited.
        case announcing
        /// Frames pass.
        case open
        /// The gateway has decided to close; the client reads what was sent last.
        case lingering
    }

    static let clientRole: UInt8 = 0
    /// The role of the first server; the others follow.
    static let upstreamRole: UInt8 = 1

    let environment: BridgeEnvironment
    /// The client's connection; where a session waits for its client, an empty one.
    var client: ClientLink
    let acceptedAt: UInt64
    /// Servers that have been dialled.
    var links: [UpstreamLink] = []
    var session: GatewaySession?
    /// Whether there is one server, whose connection and the client's are one to both.
    var isTransparent = true
    var phase = Phase.handshaking
    var log: ConnectionLog
    /// What the audit log is told, once the context has been accepted.
    var audit: ConnectionAudit?
    /// What the connections of the listener share.
    var listener: ListenerLoad
    /// Whether the listener counts this as one in the handshake, and as a client.
    var isInHandshake = true
    var isListenersClient = false
    /// What operators call its session; 0 until its context is accepted.
    var number = 0
    /// What logs call the client.
    var peer: String?
    /// What the connection is judged by.
    var snapshot: GatewaySnapshot
    /// The listener, by its place, that verified the client: a session may come back through another.
    var tlsListener: Int
    /// Who brings the client, by name, where that is another gateway, and the listener at which it connected.
    var relayedBy: String?
    var carrierListener: Int?
    /// A peer is there and has not said yet whom it brings.
    var awaitsStatement = false
    /// Leads the client to the gateway that has its session.
    var peerDial: PeerDial?
    /// Until when a client that was cut may read what it was sent last.
    var lingerLimit = UInt64.max
    /// What there is more where the client's session outlives its connection.
    var persistence: Persistence?
    /// What connections that the session has lost received and sent.
    var earlierBytesIn = 0
    var earlierBytesOut = 0

    /// Deadlines that are running, in the reactor's time.
    var deadlines = BridgeDeadlines()
    /// When bytes last came from either side, or left a queue; while lingering, only the latter.
    var lastActivity: UInt64
    /// The client's frame that has begun and is not complete.
    var pendingFrame: PendingFrame?
    /// Frames wait that were beyond one turn's share.
    var clientHasMore = false
    /// Whether a closing client gets time for what is still queued for it.
    var lingersForBacklog = true
    /// When the connection was told that the gateway stops.
    var drainingSince: UInt64?
    /// Its end was counted as a cut.
    var isCut = false
    /// The side that finished first.
    var clientEndedFirst: Bool?

    /// Neighbours among the newcomers of the thread. Not weak: whoever is referred to weakly just once is dearer to retain
    /// for the rest of its life. Leaving the newcomers, as every end does, breaks the cycle.
    var older: Bridge?
    var newer: Bridge?
    /// Whether this is one of the clients that are counted.
    var isCountedClient = false
    /// A step of the handshake waits for its turn.
    private(set) var awaitsHandshakeTurn = false
    /// Bytes of incomplete frames that have been counted.
    var countedIncompleteBytes = 0

    /// What the connections of the client's identity share, once the context is accepted.
    var identityLoad: IdentityLoad?
    /// How fast the client may be, and its servers; nil for any rate.
    var clientRate: TokenBucket?
    private(set) var bytesPerSecond: Int?
    var upstreamRate: TokenBucket?

    private(set) var clientHandle: Reactor.Handle?
    /// Timers that are running for this bridge, the next one last.
    var armedDeadlines: [UInt64] = []
    private var hasAskedForTurn = false
    /// Whether it was at rest when it was settled last, and every deadline has been seen to since.
    var isSettledAtRest = false
    /// Both directions of the client's socket are over, which cannot be masked while it is watched.
    var clientHasHungUp = false
    var clientStall = StallWatch()

    /// Takes a connection that was just accepted.
    ///
    /// - Parameters:
    ///   - client: The client's side.
    ///   - peer: What logs call the client.
    ///   - listener: What it shares with the other connections of its listener, in whose handshake it is counted.
    ///   - environment: What it shares with the other connections of its thread.
    init(client: ClientLink, peer: String?, listener: ListenerLoad, environment: BridgeEnvironment) {
        let reactor = environment.reactor
        self.client = client
        self.peer = peer
        self.listener = listener
        self.environment = environment
        acceptedAt = reactor.now
        lastActivity = reactor.now
        log = ConnectionLog(logger: environment.logger, peer: peer, openedAt: reactor.now)
        snapshot = environment.snapshot
        tlsListener = listener.index
        let timeouts = snapshot.configuration.timeouts
        if client.isEstablished { phase = .announcing }
        deadlines.client = reactor.now + (client.isEstablished ? timeouts.context : timeouts.handshake)
    }

    var reactor: Reactor { environment.reactor }

    /// Starts watching.
    func start() {
        clientHandle = reactor.makeHandle(self, role: Self.clientRole)
        environment.newcomers.add(self)
        settle()
    }

    // MARK: Events

    func ready(_ readiness: Readiness, role: UInt8) {
        if role == Self.clientRole {
            clientReady(readiness)
        } else if let link = link(Int(role - Self.upstreamRole)) {
            upstreamReady(readiness, link)
        }
        settle()
    }

    private func clientReady(_ readiness: Readiness) {
        if readiness.contains(.writable) {
            let sent = client.sentByteCount
            client.flush()
            if client.sentByteCount > sent { noteActivity() }
        }
        if phase == .lingering {
            if !readiness.isDisjoint(with: [.readable, .hungUp, .failed]), !client.discardInput() { dispose() }
            return
        }
        if phase == .handshaking, !readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            // It stays ready, and is reported again, until it has had its turn.
            if !awaitsHandshakeTurn, let clientHandle {
                awaitsHandshakeTurn = true
                reactor.takeCostlyTurn(clientHandle)
            }
            return
        }
        if clientMayRead, !readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            receiveFromClient()
        } else if readiness.contains(.failed), client.hasEnded {
            client.fail()
        } else if !readiness.isDisjoint(with: [.hungUp, .failed]) {
            clientHasHungUp = true
        }
    }

    private func upstreamReady(_ readiness: Readiness, _ link: UpstreamLink) {
        if link.state == .connecting { return connect(link) }
        if readiness.contains(.writable) {
            link.flush()
            noteActivity()
        }
        if !readiness.isDisjoint(with: [.hungUp, .failed]) { link.hungUp() }
        if mayRead(link), !readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            receive(from: link)
        }
    }

    /// Asks for another turn for the frames that were beyond this one's share.
    func askForTurn() {
        guard !hasAskedForTurn, let clientHandle else { return }
        hasAskedForTurn = true
        reactor.continueSoon(clientHandle)
    }

    func continueNow() {
        hasAskedForTurn = false
        if clientHasMore {
            clientHasMore = false
            judgePendingFromClient()
        }
        for link in links where link.hasMore {
            link.hasMore = false
            judgePending(from: link)
        }
        client.flush()
        settle()
    }

    func costlyTurn() {
        awaitsHandshakeTurn = false
        if phase == .handshaking { receiveFromClient() }
        settle()
    }

    func deadlinePassed(_ deadline: UInt64) {
        if deadline == armedDeadlines.last { armedDeadlines.removeLast() }
        isSettledAtRest = false
        if deadlines.next(links) <= reactor.now { deadlineExpired() }
        settle()
    }

    func abandon() {
        if phase != .lingering, clientHandle != nil { cutShort() }
        dispose()
        client.flushOutput()
    }

    func stopping() {
        beginDraining()
        settle()
    }

    // MARK: Reading, or not

    /// Whether the client may be read from: not when its requests, or answers to it, pile up, nor when it is too fast.
    var clientMayRead: Bool {
        guard !isDetached, persistence?.wantedToken == nil else { return false }
        let limit = snapshot.configuration.limits.queueBytes
        // Only the gateway's own answers go beyond what `mayRead` allows.
        let answers = client.backlogByteCount <= limit + Scratch.readByteCount
        guard !client.hasEnded, !client.isLost, !clientHasMore, answers, deadlines.clientRate == .max else {
            return false
        }
        // Where one of several servers does not keep up, it is told so, and the others are not kept waiting.
        guard isTransparent, let link = links.first else { return true }
        // Acknowledgements come behind messages: who waits for the former must not stop reading because of the latter.
        return link.backlogByteCount <= limit || persistence?.session.canSend == false
    }

    /// Whether a server may be read from: not when the client does not keep up.
    func mayRead(_ link: UpstreamLink) -> Bool {
        let limit = snapshot.configuration.limits.queueBytes
        guard link.state == .connected, !link.hasEnded, !link.hasMore, deadlines.upstreamRate == .max else {
            return false
        }
        // A client that has said its last word gets nothing more; its servers are read to their end.
        if let persistence, !persistence.session.isDisconnectedByPeer, !hasRoomForMessages(persistence) { return false }
        // A server that does not take the gateway's own answers must not ask for more. What clients send it does not
        // matter here: it may be a server that does not read before it has written.
        return client.backlogByteCount <= limit && link.ownByteCount <= limit
    }

    /// The listener may begin another handshake.
    func endHandshake() {
        if isInHandshake { listener.endHandshake() }
        isInHandshake = false
    }

    /// Whether reading pauses because somebody is faster than he may be: that is not silence.
    var isHeldBack: Bool {
        deadlines.clientRate != .max || deadlines.upstreamRate != .max
    }

    /// Sets how fast the client may be, and its servers; nil for any rate.
    func limitBytes(to rate: Int?) {
        bytesPerSecond = rate
        clientRate = rate.map(TokenBucket.init(perSecond:))
        upstreamRate = clientRate
    }

    func noteActivity() {
        lastActivity = reactor.now
    }

    // MARK: Watching

    func link(_ index: Int) -> UpstreamLink? {
        links.first { $0.index == index }
    }

    func drop(_ link: UpstreamLink) {
        reactor.release(link.handle)
        links.removeAll { $0 === link }
    }

    func dropUpstreams() {
        for link in links { reactor.release(link.handle) }
        links = []
    }

    /// Gives everything back. The client's socket closes with the last reference to the bridge.
    func dispose() {
        peerDial?.cancel()
        peerDial = nil
        noteUndelivered()
        dropUpstreams()
        client.pending = ByteQueue()
        countIncompleteBytes()
        environment.newcomers.remove(self)
        if isCountedClient { environment.load.removeClient() }
        isCountedClient = false
        if let persistence {
            endDetachment()
            countHeldBytes(persistence, isOver: true)
            endListing(.init(.unknownSession, "the session has ended"))
        }
        if clientHandle != nil {
            endAudit()
            if client.socketNumber >= 0 { environment.meter.closed(at: carrierListener ?? listener.index) }
        }
        endHandshake()
        if isListenersClient { listener.removeClient() }
        isListenersClient = false
        identityLoad?.removeClient()
        identityLoad = nil
        if let clientHandle { reactor.release(clientHandle) }
        clientHandle = nil
    }
}
