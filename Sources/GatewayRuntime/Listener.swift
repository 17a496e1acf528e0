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
        /// Processes of this machine, through a Unix socket that all threads share.
        case local
    }

    /// Connections accepted in one turn of the loop, so that those that are there have theirs.
    private static let acceptsPerTurn = 16
    /// How long accepting pauses when the process has no descriptors left.
    private static let descriptorPause: UInt64 = 100_000_000
    /// How long it pauses when there are too many newcomers, none of whom may be sent away.
    private static let newcomerPause: UInt64 = 10_000_000

    private let socket: Socket
    private let clients: Clients
    private let load: ListenerLoad
    private let environment: BridgeEnvironment
    private var handle: Reactor.Handle?
    private var isPaused = false

    init(socket: consuming Socket, clients: Clients, load: ListenerLoad, environment: BridgeEnvironment) {
        self.socket = socket
        self.clients = clients
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
        switch clients {
        case .remote: try reactor.watch(handle, socket.number, for: .readable)
        case .local: try reactor.watch(handle, socket.number, for: [.readable, .exclusive])
        }
    }

    func ready(_ readiness: Readiness, role: UInt8) {
        for _ in 0..<Self.acceptsPerTurn where !isPaused {
            guard acceptOne() else { break }
        }
        if case .local = clients, !isPaused { queueUpAgain() }
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
        var accepted: Int32 = -1
        let address = SocketAddress { storage, length in accepted = clinux_accept(socket.number, storage, length) }
        guard accepted >= 0 else {
            let error = SystemError("accept")
            load.takeBack(at: reactor.now)
            return acceptFailed(error)
        }
        let connection = Socket(Descriptor(accepted))
        switch clients {
        case .remote: serve(connection, address.listenerAddress)
        case .local: serve(connection)
        }
        return true
    }

    private func serve(_ connection: consuming Socket, _ address: ListenerAddress?) {
        guard let tls = environment.snapshot.tlsContext(of: load.index) else { return load.endHandshake() }
        // Small messages leave at once, and peers that vanished without a word are noticed within minutes.
        let options: [(Int32, Int32, Int32)] = [
            (Int32(IPPROTO_TCP), TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
            (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60), (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15),
            (Int32(IPPROTO_TCP), TCP_KEEPCNT, 4),
        ]
        for (level, name, value) in options {
            // A connection that was reset already refuses options; its bridge finds out.
            try? connection.setOption(level, name, value)
        }
        do throws(TLSError) {
            let client = try ClientLink(socket: connection, context: tls, scratch: reactor.scratch)
            Bridge(client: client, peer: address.map { "\($0)" }, listener: load, environment: environment).start()
        } catch {
            load.endHandshake()
            logger.error("a connection cannot be served", metadata: ["detail": "\(error)"])
        }
    }

    private func serve(_ connection: consuming Socket) {
        do throws(PeerCredentials.Failure) {
            let peer = try PeerCredentials.read(connection, asksFor: environment.snapshot.asksFor(executable:))
            let client = ClientLink(socket: connection, peer: peer, scratch: reactor.scratch)
            Bridge(client: client, peer: "\(peer)", listener: load, environment: environment).start()
        } catch {
            load.endHandshake()
            logger.error("a connection cannot be served", metadata: ["detail": "\(error)"])
        }
    }

    private func acceptFailed(_ error: SystemError) -> Bool {
        switch error.code {
        case EAGAIN:
            return false
        case EINTR, ECONNABORTED, EPROTO:
            return true
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
        stopping()
    }

    func stopping() {
        if let handle { reactor.release(handle) }
        handle = nil
    }
}
