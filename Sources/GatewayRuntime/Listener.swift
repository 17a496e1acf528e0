// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import GatewayCore
internal import Glibc
internal import Logging
internal import TLSEngine

/// One thread's share of a listener: accepts connections and makes bridges of them.
final class Listener: EventHandler {
    /// Who connects here, and what proves who they are.
    enum Clients {
        /// Anybody, with a certificate.
        case remote
        /// Processes of this machine, through a Unix socket.
        case local
    }

    /// Where its socket comes from, and so what becomes of it at the end.
    enum Origin {
        /// Made for this thread alone.
        case own
        /// Made for all threads of the gateway.
        case shared
        /// Handed over by the service manager, for all threads, and for the gateway that comes after this one.
        case inherited
    }

    /// Connections accepted in one turn of the loop, so that those that are there have theirs.
    private static let acceptsPerTurn = 16
    /// How long accepting pauses when the process has no descriptors left.
    private static let descriptorPause: UInt64 = 100_000_000
    /// How long it pauses when there are too many newcomers, none of whom may be sent away.
    private static let newcomerPause: UInt64 = 10_000_000
    /// How long connections that have begun may take to be there before the socket is closed: a round trip.
    private static let lastCall: UInt64 = 250_000_000
    /// How many connections are accepted at the end at most.
    private static let lastAccepts = 16_384

    private let socket: Socket
    private let clients: Clients
    private let origin: Origin
    private let load: ListenerLoad
    private let environment: BridgeEnvironment
    private var handle: Reactor.Handle?
    private var isPaused = false
    /// When the socket is closed; the gateway stops.
    private var closesAt: UInt64?

    init(
        socket: consuming Socket,
        clients: Clients,
        origin: Origin,
        load: ListenerLoad,
        environment: BridgeEnvironment
    ) {
        self.socket = socket
        self.clients = clients
        self.origin = origin
        self.load = load
        self.environment = environment
    }

    private var reactor: Reactor { environment.reactor }
    private var logger: Logger { environment.logger }

    func start() throws(SystemError) {
        let handle = reactor.makeHandle(self)
        self.handle = handle
        try watch(handle)
    }

    private func watch(_ handle: Reactor.Handle) throws(SystemError) {
        switch origin {
        case .own: try reactor.watch(handle, socket.number, for: .readable)
        case .shared, .inherited: try reactor.watch(handle, socket.number, for: [.readable, .exclusive])
        }
    }

    func ready(_ readiness: Readiness, role: UInt8) {
        for _ in 0..<Self.acceptsPerTurn where !isPaused {
            guard acceptOne() else { break }
        }
        if origin != .own, !isPaused { queueUpAgain() }
    }

    /// The kernel wakes the first of the threads that wait for a shared socket. Who has had a turn goes to the end of the
    /// line, or it would get every client of a quiet gateway.
    private func queueUpAgain() {
        guard let handle else { return }
        reactor.unwatch(handle)
        do throws(SystemError) { try watch(handle) } catch { pause(for: Self.descriptorPause) }
    }

    /// Accepts one connection.
    ///
    /// - Returns: Whether there may be more.
    private func acceptOne() -> Bool {
        guard environment.newcomers.makeRoom(at: reactor.now) else {
            pause(for: Self.newcomerPause)
            return false
        }
        guard load.beginHandshake(at: reactor.now) else {
            pause(for: Self.newcomerPause)
            return false
        }
        do throws(SystemError) {
            try accept(isCounted: true)
            return true
        } catch {
            load.takeBack(at: reactor.now)
            return acceptFailed(error)
        }
    }

    /// Accepts a connection and serves it.
    ///
    /// - Parameter isCounted: Whether the listener counts it as one in the handshake.
    private func accept(isCounted: Bool) throws(SystemError) {
        var accepted: Int32 = -1
        let address = SocketAddress { storage, length in accepted = clinux_accept(socket.number, storage, length) }
        guard accepted >= 0 else { throw SystemError("accept") }
        let connection = Socket(Descriptor(accepted))
        let bridge =
            switch clients {
            case .remote: serve(connection, address.listenerAddress)
            case .local: serve(connection)
            }
        guard let bridge else {
            if isCounted { load.endHandshake() }
            return
        }
        environment.meter.accepted(at: load.index)
        bridge.isInHandshake = isCounted
        bridge.start()
        if closesAt != nil { bridge.stopping() }
    }

    private func serve(_ connection: consuming Socket, _ address: ListenerAddress?) -> Bridge? {
        guard let tls = environment.snapshot.tlsContext(of: load.index) else { return nil }
        connection.setStreamOptions()
        do throws(TLSError) {
            let proxy = address.flatMap {
                environment.snapshot.isProxy($0.host, at: load.index) ? ProxyEnd($0) : nil
            }
            let client = try ClientLink(socket: connection, context: tls, proxy: proxy, scratch: reactor.scratch)
            return Bridge(client: client, peer: address.map { "\($0)" }, listener: load, environment: environment)
        } catch {
            logger.error("a connection cannot be served", metadata: ["detail": "\(error)"])
            return nil
        }
    }

    private func serve(_ connection: consuming Socket) -> Bridge? {
        do throws(PeerCredentials.Failure) {
            let peer = try PeerCredentials.read(connection, asksFor: environment.snapshot.asksFor(executable:))
            let client = ClientLink(socket: connection, peer: peer, scratch: reactor.scratch)
            return Bridge(client: client, peer: "\(peer)", listener: load, environment: environment)
        } catch {
            logger.error("a connection cannot be served", metadata: ["detail": "\(error)"])
            return nil
        }
    }

    private func acceptFailed(_ error: SystemError) -> Bool {
        switch error.code {
        case EAGAIN:
            return false
        case EINTR, ECONNABORTED, EPROTO:
            return true
        case EINVAL where origin == .shared:
            // Another thread has begun to close it, as this one is about to be told.
            isPaused = true
            if let handle { reactor.unwatch(handle) }
            return false
        default:
            // Most often EMFILE: the connection stays in the queue and would be reported again and again.
            // Whoever holds a descriptor without showing who they are is the first to give one back.
            let hasSentOneAway = environment.newcomers.sendOneAway(at: reactor.now)
            environment.warnOfPause(error, hasSentOneAway: hasSentOneAway)
            pause(for: Self.descriptorPause)
            return false
        }
    }

    /// Leaves connections in the system's queue for a while.
    private func pause(for time: UInt64) {
        guard let handle else { return }
        isPaused = true
        reactor.unwatch(handle)
        reactor.wake(handle, at: reactor.now + time)
    }

    func deadlinePassed(_ deadline: UInt64) {
        if let closesAt, reactor.now >= closesAt { return close() }
        guard isPaused, let handle else { return }
        isPaused = false
        do throws(SystemError) {
            try watch(handle)
        } catch {
            pause(for: Self.descriptorPause)
        }
    }

    func continueNow() {}

    func costlyTurn() {}

    func abandon() {
        if let handle { reactor.release(handle) }
        handle = nil
    }

    // MARK: The end

    /// Nobody else is let in. Whoever the system has let in already is told so: a socket that is closed resets those that
    /// wait in its queue.
    func stopping() {
        guard let handle, closesAt == nil else { return }
        closesAt = reactor.now
        switch origin {
        case .inherited:
            // Its queue is for the next gateway.
            abandon()
        case .shared:
            // From now on the system refuses, and the queue can be emptied for good.
            _ = shutdown(socket.number, Int32(SHUT_RD))
            close()
        case .own:
            guard clinux_ignore_new_connections(socket.number) == 0 else { return close() }
            closesAt = reactor.now + Self.lastCall
            if isPaused { try? watch(handle) }
            isPaused = false
            reactor.wake(handle, at: reactor.now + Self.lastCall)
        }
    }

    /// Empties the queue and closes the socket.
    private func close() {
        for _ in 0..<Self.lastAccepts {
            do throws(SystemError) {
                try accept(isCounted: false)
            } catch {
                guard [EINTR, ECONNABORTED, EPROTO].contains(error.code) else { break }
            }
        }
        abandon()
    }
}
