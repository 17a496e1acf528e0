// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging
internal import TLSEngine

/// One client's connection from accept to close: the client's TLS on one side, a local server's Unix socket on the
/// other, and between them the session, which judges every frame.
final class Bridge: EventHandler {
    enum Phase {
        /// TLS is being negotiated.
        case handshaking
        /// The certificate is known; the context is awaited.
        case announcing
        /// Frames pass.
        case open
        /// The gateway has decided to close; the client reads what was sent last.
        case lingering
    }

    static let clientRole: UInt8 = 0
    static let upstreamRole: UInt8 = 1

    let environment: BridgeEnvironment
    let client: ClientLink
    let acceptedAt: UInt64
    var upstream: UpstreamLink?
    var session: GatewaySession?
    var phase = Phase.handshaking
    var log: ConnectionLog

    /// Deadlines that are running, in the reactor's time.
    var deadlines = BridgeDeadlines()
    /// When bytes last came from either side, or left a queue; while lingering, only the latter.
    var lastActivity: UInt64
    /// The client's frame that has begun and is not complete.
    var pendingFrame: PendingFrame?
    /// Frames wait that were beyond one turn's share.
    var clientHasMore = false
    var upstreamHasMore = false
    /// Whether a closing client gets time for what is still queued for it.
    var lingersForBacklog = true
    /// The side that finished first.
    var clientEndedFirst: Bool?

    /// Neighbours among the newcomers of the thread.
    weak var older: Bridge?
    weak var newer: Bridge?
    /// Whether this is one of the clients that are counted.
    var isCountedClient = false
    /// A step of the handshake waits for its turn.
    private(set) var awaitsHandshakeTurn = false
    /// Bytes of incomplete frames that have been counted.
    private var countedIncompleteBytes = 0

    private(set) var clientHandle: Reactor.Handle?
    private(set) var upstreamHandle: Reactor.Handle?
    /// Timers that are running for this bridge, the next one last.
    private var armedDeadlines: [UInt64] = []
    private var hasAskedForTurn = false
    /// Both directions of the client's socket are over, which cannot be masked while it is watched.
    private var clientHasHungUp = false
    private var clientStall = StallWatch()
    private var upstreamStall = StallWatch()

    /// Takes a connection that was just accepted.
    init(
        socket: consuming Socket,
        peer: ListenerAddress?,
        tls: TLSContext,
        environment: BridgeEnvironment
    ) throws(TLSError) {
        let reactor = environment.reactor
        client = try ClientLink(socket: socket, context: tls, scratch: reactor.scratch)
        self.environment = environment
        acceptedAt = reactor.now
        lastActivity = reactor.now
        log = ConnectionLog(logger: environment.logger, peer: peer, openedAt: reactor.now)
        deadlines.client = reactor.now + environment.snapshot.configuration.timeouts.handshake
    }

    var reactor: Reactor { environment.reactor }
    var snapshot: GatewaySnapshot { environment.snapshot }

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
        } else {
            upstreamReady(readiness)
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

    private func upstreamReady(_ readiness: Readiness) {
        guard let upstream else { return }
        if upstream.state == .connecting {
            connectUpstream()
            return
        }
        if readiness.contains(.writable) {
            upstream.flush()
            noteActivity()
        }
        if !readiness.isDisjoint(with: [.hungUp, .failed]) { upstream.hungUp() }
        if upstreamMayRead, !readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            receiveFromUpstream()
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
        if upstreamHasMore {
            upstreamHasMore = false
            judgePendingFromUpstream()
        }
        settle()
    }

    func costlyTurn() {
        awaitsHandshakeTurn = false
        if phase == .handshaking { receiveFromClient() }
        settle()
    }

    func deadlinePassed(_ deadline: UInt64) {
        if deadline == armedDeadlines.last { armedDeadlines.removeLast() }
        if deadlines.next <= reactor.now { deadlineExpired() }
        settle()
    }

    func stopping() {
        close(CloseReason(.stopping, "the gateway is stopping"))
        settle()
    }

    // MARK: Reading, or not

    /// Whether the client may be read from: not when its requests, or answers to it, pile up.
    var clientMayRead: Bool {
        let limit = snapshot.configuration.limits.queueBytes
        // Only the gateway's own answers go beyond what `upstreamMayRead` allows.
        let answers = client.backlogByteCount <= limit + 4 * Scratch.readByteCount
        return !client.hasEnded && !client.isLost && !clientHasMore && answers
            && (upstream?.backlogByteCount ?? 0) <= limit
    }

    /// Whether the server may be read from: not when the client does not keep up.
    var upstreamMayRead: Bool {
        guard let upstream, upstream.state == .connected else { return false }
        return !upstream.hasEnded && !upstreamHasMore
            && client.backlogByteCount <= snapshot.configuration.limits.queueBytes
    }

    func noteActivity() {
        lastActivity = reactor.now
    }

    // MARK: Watching

    func openUpstream(_ link: UpstreamLink) {
        upstream = link
        upstreamHandle = reactor.makeHandle(self, role: Self.upstreamRole)
    }

    func dropUpstream() {
        if let upstreamHandle { reactor.release(upstreamHandle) }
        upstreamHandle = nil
        upstream = nil
    }

    /// Gives everything back. The client's socket closes with the last reference to the bridge.
    func dispose() {
        dropUpstream()
        client.pending = ByteQueue()
        countIncompleteBytes()
        environment.newcomers.remove(self)
        if isCountedClient { environment.load.removeClient() }
        isCountedClient = false
        if let clientHandle { reactor.release(clientHandle) }
        clientHandle = nil
    }

    /// Brings what is watched, and the timer, in line with the state. The last step of every event.
    func settle() {
        guard clientHandle != nil else { return }
        if countIncompleteBytes() {
            refuseIncompleteBytes()
            countIncompleteBytes()
        }
        if phase != .lingering { advance() }
        // Not instead: the first may lead to the second.
        if phase == .lingering, clientHandle != nil { advanceLingering() }
        guard let clientHandle else { return }
        do throws(SystemError) {
            try watchClient(clientHandle)
            try watchUpstream()
        } catch {
            close(CloseReason(.gatewayFailure, "the gateway cannot watch the connection: \(error)"))
            return dispose()
        }
        updateDeadlines()
        let next = deadlines.next
        if next < armedDeadlines.last ?? .max {
            armedDeadlines.append(next)
            reactor.wake(clientHandle, at: next)
        }
    }

    /// Deadlines that follow from the state alone.
    private func updateDeadlines() {
        guard phase != .lingering else { return }
        let timeouts = snapshot.configuration.timeouts
        deadlines.idle = phase == .open ? timeouts.idle.map { lastActivity + $0 } ?? .max : .max
        // Time in which the gateway does not read is not the client's fault.
        if !clientMayRead { pendingFrame?.began = reactor.now }
        deadlines.frame = clientMayRead ? pendingFrame?.deadline(timeouts.frame) ?? .max : .max
        let now = reactor.now
        let clientSince = clientStall.update(queued: client.backlogByteCount, sent: client.sentByteCount, at: now)
        let upstreamSince = upstreamStall.update(
            queued: upstream?.backlogByteCount ?? 0,
            sent: upstream?.sentByteCount ?? 0,
            at: now
        )
        deadlines.clientStall = clientSince.map { $0 + timeouts.stall } ?? .max
        deadlines.upstreamStall = upstreamSince.map { $0 + timeouts.stall } ?? .max
    }

    private func watchClient(_ handle: Reactor.Handle) throws(SystemError) {
        var interest: Readiness = []
        if phase == .lingering ? !client.hasEnded : clientMayRead { interest.insert(.readable) }
        if client.backlogByteCount > 0 { interest.insert(.writable) }
        // A hang-up is looked at again when there is room to read.
        if clientHasHungUp || client.isLost, interest.isEmpty { return reactor.unwatch(handle) }
        try reactor.watch(handle, client.socket.number, for: interest)
    }

    private func watchUpstream() throws(SystemError) {
        guard let upstream, let upstreamHandle, upstream.state != .queued else { return }
        var interest: Readiness = []
        if upstreamMayRead { interest.insert(.readable) }
        if upstream.state == .connecting || upstream.backlogByteCount > 0 { interest.insert(.writable) }
        // A server that is gone but not read to its end is looked at again when there is room.
        if upstream.isGone, interest.isEmpty { return reactor.unwatch(upstreamHandle) }
        try reactor.watch(upstreamHandle, upstream.socket.number, for: interest)
    }
}

extension Bridge {
    /// Brings the count of incomplete bytes up to date.
    ///
    /// - Returns: Whether this connection has made them too many.
    @discardableResult
    private func countIncompleteBytes() -> Bool {
        let held = client.pending.count + (upstream?.pending.count ?? 0)
        let growth = held - countedIncompleteBytes
        guard growth != 0 else { return false }
        countedIncompleteBytes = held
        let total = environment.load.addIncompleteBytes(growth)
        // Small ones are let be: they are most often complete with the next read, and cannot be what fills the memory.
        return growth > 0 && held > Scratch.readByteCount && total > snapshot.configuration.limits.incompleteBytes
    }
}
