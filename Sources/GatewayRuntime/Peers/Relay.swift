// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging
internal import TLSEngine

/// A client whose session another gateway keeps, and the connection to that gateway: what comes from either goes to the
/// other. The other judges it.
final class Relay: EventHandler {
    private static let clientRole: UInt8 = 0
    private static let peerRole: UInt8 = 1
    /// How long the second side may take to finish when the first has, in nanoseconds.
    private static let lingerTime: UInt64 = 1_000_000_000

    private let client: ClientLink
    private let peer: ClientLink
    private let environment: BridgeEnvironment
    private let gateway: PeerSettings.Gateway
    private let listener: ListenerLoad
    private let logger: Logger
    private let begin: UInt64
    private var snapshot: GatewaySnapshot
    private var clientHandle: Reactor.Handle?
    private var peerHandle: Reactor.Handle?
    private var clientStall = StallWatch()
    private var peerStall = StallWatch()
    private var closing = UInt64.max
    /// Bytes sent when `closing` was set last.
    private var sentBefore = 0
    private var armed: UInt64 = .max
    private var reason: CloseReason?

    /// Takes over a client that is counted among the gateway's and the listener's already.
    init(
        client: ClientLink,
        peer: ClientLink,
        gateway: PeerSettings.Gateway,
        listener: ListenerLoad,
        snapshot: GatewaySnapshot,
        environment: BridgeEnvironment,
        logger: Logger
    ) {
        self.client = client
        self.peer = peer
        self.gateway = gateway
        self.listener = listener
        self.snapshot = snapshot
        self.environment = environment
        self.logger = logger
        begin = environment.reactor.now
    }

    private var reactor: Reactor { environment.reactor }

    func start() {
        clientHandle = reactor.makeHandle(self, role: Self.clientRole)
        peerHandle = reactor.makeHandle(self, role: Self.peerRole)
        logger.info("client relayed")
        // It may have been waited for while others were judged.
        judgeAnew()
        settle()
    }

    // MARK: Events

    func ready(_ readiness: Readiness, role: UInt8) {
        let (link, other) = role == Self.clientRole ? (client, peer) : (peer, client)
        if readiness.contains(.writable) { link.flush() }
        if !readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            if mayRead(link, for: other) {
                pass(from: link, to: other)
            } else if !readiness.isDisjoint(with: [.hungUp, .failed]) {
                link.fail()
            }
        }
        settle()
    }

    private func mayRead(_ link: ClientLink, for other: ClientLink) -> Bool {
        !link.hasEnded && !link.isLost && link.failure == nil
            && other.backlogByteCount <= snapshot.configuration.limits.queueBytes
    }

    private func pass(from link: ClientLink, to other: ClientLink) {
        let reception = link.receive()
        // What TLS has to say goes through the buffer that both sides share.
        link.flush()
        guard case .plaintext(let count) = reception, count > 0 else { return }
        do throws(TLSError) {
            try other.send(UnsafeRawBufferPointer(rebasing: reactor.scratch.plaintext[..<count]))
        } catch {
            other.fail()
        }
        other.flush()
    }

    /// What is watched, and until when, follows from the state.
    private func settle() {
        guard clientHandle != nil else { return }
        advance()
        guard let clientHandle, let peerHandle else { return }
        do throws(SystemError) {
            try watch(clientHandle, client, for: peer)
            try watch(peerHandle, peer, for: client)
        } catch {
            reason = reason ?? CloseReason(.gatewayFailure, "the gateway cannot watch the connection: \(error)")
            return dispose()
        }
        let now = reactor.now
        // What is queued has time for as long as some of it is taken.
        let sent = client.sentByteCount + peer.sentByteCount
        if closing != .max, sent != sentBefore { closing = now + Self.lingerTime }
        sentBefore = sent
        let stall = snapshot.configuration.timeouts.stall
        var next = closing
        for since in [
            clientStall.update(queued: client.backlogByteCount, sent: client.sentByteCount, at: now),
            peerStall.update(queued: peer.backlogByteCount, sent: peer.sentByteCount, at: now),
        ] {
            if let since { next = min(next, since + stall) }
        }
        if next <= now {
            reason = reason ?? CloseReason(.stallTimeout, "what was queued was not taken in time")
            return dispose()
        }
        if next < armed {
            armed = next
            reactor.wake(clientHandle, at: next)
        }
    }

    private func watch(_ handle: Reactor.Handle, _ link: ClientLink, for other: ClientLink) throws(SystemError) {
        var interest: Readiness = []
        if mayRead(link, for: other) { interest.insert(.readable) }
        if link.backlogByteCount > 0 { interest.insert(.writable) }
        if link.isLost || link.hasEnded && interest.isEmpty { return reactor.unwatch(handle) }
        try reactor.watch(handle, link.socketNumber, for: interest)
    }

    /// Passes an end on, behind everything that came before it.
    private func advance() {
        let hasClientEnded = client.hasEnded || client.isLost || client.isDeaf || client.failure != nil
        let hasPeerEnded = peer.hasEnded || peer.isLost || peer.isDeaf || peer.failure != nil
        guard hasClientEnded || hasPeerEnded else { return }
        if reason == nil {
            reason =
                hasClientEnded
                ? client.failure ?? CloseReason(.finished, "the client's connection ended")
                : peer.failure ?? CloseReason(.finished, "the other gateway ended the connection")
            closing = reactor.now + Self.lingerTime
        }
        if hasClientEnded { peer.finishSending() }
        if hasPeerEnded { client.finishSending() }
        if isDone(client), isDone(peer) { dispose() }
    }

    private func isDone(_ link: ClientLink) -> Bool {
        link.isLost || link.isDeaf || link.failure != nil || link.hasEnded && link.hasShutDown
    }

    private func dispose() {
        guard let clientHandle, let peerHandle else { return }
        reactor.release(clientHandle)
        reactor.release(peerHandle)
        self.clientHandle = nil
        self.peerHandle = nil
        environment.load.removeClient()
        listener.removeClient()
        environment.meter.closed(at: listener.index)
        let metadata: Logger.Metadata = [
            "reason": "\(reason?.code.rawValue ?? CloseReason.Code.stopping.rawValue)",
            "detail": "\(reason?.message ?? "the gateway is stopping")",
            "bytesIn": "\(client.receivedByteCount)", "bytesOut": "\(client.sentByteCount)",
            "milliseconds": "\((reactor.now - begin) / 1_000_000)",
        ]
        logger.info("relay closed", metadata: metadata)
    }

    func deadlinePassed(_ deadline: UInt64) {
        if deadline >= armed { armed = .max }
        if closing <= reactor.now { return dispose() }
        settle()
    }

    func continueNow() {}

    func costlyTurn() {}

    /// Both hear it at once: the client comes back at another gateway, and its session waits for it.
    func stopping() {
        client.finishSending()
        peer.finishSending()
        dispose()
    }

    func abandon() { dispose() }
}

extension Relay: JudgedAnew {
    /// The gateway that has the session judges, too. But who would not be let in here any more must not pass here.
    func judgeAnew() {
        guard snapshot !== environment.snapshot, clientHandle != nil else { return }
        snapshot = environment.snapshot
        do {
            if let context = snapshot.tlsContext(of: listener.index) { try client.judge(by: context) }
            guard let identity = try client.identity() else {
                throw CloseReason(.identityRefused, "the client showed no certificate")
            }
            _ = try snapshot.terms(for: identity)
            guard snapshot.configuration.peers?.gateway(named: gateway.name) == gateway else {
                throw CloseReason(.identityRefused, "the gateway that has its session is no peer any more")
            }
            if let context = snapshot.peerContext { try peer.judgeEnd(by: context) }
            environment.judging?.note(.goesOn(endedListens: 0))
        } catch {
            let message = (error as? CloseReason)?.message ?? (error as? TLSError)?.message ?? "\(error)"
            reason = CloseReason(
                .revoked,
                "configuration \(snapshot.generation) does not let the client in: \(message)"
            )
            stopping()
            environment.judging?.note(.cut)
        }
    }
}
