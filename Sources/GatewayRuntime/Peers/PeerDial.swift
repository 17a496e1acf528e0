// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import TLSEngine

/// Makes a connection to another gateway: finds its address, connects, and has its certificate verified. Tries until it is
/// there or the time is over, because a gateway that is being restarted is there in a moment.
final class PeerDial: EventHandler {
    /// What has come of it.
    enum Outcome {
        /// The connection; nothing has been sent over it yet.
        case reached(ClientLink)
        /// There is none; a sentence for people.
        case failed(String)
    }

    /// Time between two attempts, in nanoseconds.
    private static let pause: UInt64 = 200_000_000

    private let gateway: PeerSettings.Gateway
    private let context: TLSContext
    private let reactor: Reactor
    private let end: UInt64
    private var whenDone: ((Outcome) -> Void)?

    private var handle: Reactor.Handle?
    private var addresses: [ListenerAddress] = []
    private var connecting: Socket?
    private var link: ClientLink?
    private var retryAt: UInt64?
    /// Until when the address that is tried may take.
    private var attemptUntil = UInt64.max
    private var reason = "it did not answer in time"

    /// - Parameters:
    ///   - gateway: The peer.
    ///   - context: What it is shown, and known by.
    ///   - end: Until when it is tried, in the reactor's time.
    ///   - reactor: The thread.
    ///   - whenDone: Called once, on the thread, unless it is cancelled before.
    init(
        _ gateway: PeerSettings.Gateway,
        context: TLSContext,
        until end: UInt64,
        on reactor: Reactor,
        whenDone: @escaping (Outcome) -> Void
    ) {
        self.gateway = gateway
        self.context = context
        self.end = end
        self.reactor = reactor
        self.whenDone = whenDone
    }

    func start() {
        let handle = reactor.makeHandle(self)
        self.handle = handle
        reactor.wake(handle, at: end)
        lookUp()
    }

    /// Nobody waits for it any more.
    func cancel() {
        whenDone = nil
        finish()
    }

    private func finish() {
        if let handle { reactor.release(handle) }
        handle = nil
        connecting = nil
        link = nil
    }

    // MARK: Steps

    private func lookUp() {
        guard let handle else { return }
        retryAt = nil
        let mailbox = reactor.mailbox
        let token = handle
        NameLookup.find(gateway.address.host, gateway.address.port ?? 0) { result in
            mailbox.post { reactor in (reactor.handler(of: token) as? PeerDial)?.found(result) }
        }
    }

    private func found(_ result: Result<[ListenerAddress], NameLookup.Failure>) {
        switch result {
        case .success(let found):
            addresses = found
            tryNext()
        case .failure(let failure):
            reason = failure.reason
            tryLater()
        }
    }

    private func tryNext() {
        guard let handle else { return }
        reactor.unwatch(handle)
        connecting = nil
        link = nil
        while !addresses.isEmpty {
            let address = addresses.removeFirst()
            guard let target = SocketAddress(address) else { continue }
            do throws(SystemError) {
                let socket = try Socket(family: target.family)
                let outcome = socket.connect(to: target)
                if case .failed(let error) = outcome { throw error }
                try reactor.watch(handle, socket.number, for: .writable)
                connecting = consume socket
                attemptUntil = reactor.now + (max(end, reactor.now) - reactor.now) / UInt64(addresses.count + 1)
                reactor.wake(handle, at: attemptUntil)
                return
            } catch {
                reason = "\(address): \(error.reason)"
            }
        }
        tryLater()
    }

    private func tryLater() {
        guard let handle, retryAt == nil else { return }
        retryAt = reactor.now + Self.pause
        reactor.wake(handle, at: reactor.now + Self.pause)
    }

    private func connected() {
        guard let handle, let socket = connecting.take() else { return }
        if let error = socket.pendingError {
            reason = error.reason
            return tryNext()
        }
        socket.setStreamOptions()
        do {
            let session = try TLSSession(
                context: context,
                output: reactor.scratch.output,
                serverName: gateway.address.host
            )
            let number = socket.number
            let link = ClientLink(socket: socket, calling: session, scratch: reactor.scratch)
            try link.beginHandshake()
            self.link = link
            try reactor.watch(handle, number, for: interest(in: link))
        } catch {
            fail("\(error)")
        }
    }

    private func advance(_ link: ClientLink) {
        let reception = link.receive()
        link.flush()
        switch reception {
        case .nothing:
            break
        case .failed(let failure):
            guard link.isLost || link.hasEnded else { return fail(failure.message) }
            // It was there, and went.
            reason = failure.message
            return tryNext()
        case .plaintext(let count):
            guard count == 0, !link.hasEnded else { return fail("it spoke, or left, before it was asked") }
        }
        guard link.isEstablished else { return watch(link) }
        guard link.negotiated?.applicationProtocol == RelayStatement.applicationProtocol else {
            return fail("it is no listener for peers")
        }
        if let handle { reactor.unwatch(handle) }
        let done = whenDone
        whenDone = nil
        self.link = nil
        finish()
        done?(.reached(link))
    }

    private func interest(in link: ClientLink) -> Readiness {
        link.backlogByteCount > 0 ? [.readable, .writable] : .readable
    }

    private func watch(_ link: ClientLink) {
        guard let handle else { return }
        do throws(SystemError) {
            try reactor.watch(handle, link.socketNumber, for: interest(in: link))
        } catch {
            fail("\(error)")
        }
    }

    /// What is wrong will not be better in a moment, as a certificate.
    private func fail(_ reason: String) {
        let done = whenDone
        whenDone = nil
        finish()
        done?(.failed(reason))
    }

    // MARK: Events

    func ready(_ readiness: Readiness, role: UInt8) {
        guard let link else { return connected() }
        if readiness.contains(.writable) { link.flush() }
        if readiness.isDisjoint(with: [.readable, .hungUp, .failed]) {
            watch(link)
        } else {
            advance(link)
        }
    }

    func deadlinePassed(_ deadline: UInt64) {
        if reactor.now >= end { return fail(reason) }
        if let retryAt {
            if retryAt <= reactor.now { lookUp() }
        } else if attemptUntil <= reactor.now {
            attemptUntil = .max
            reason = "an address of it did not answer in time"
            tryNext()
        }
    }

    func continueNow() {}

    func costlyTurn() {}

    /// Whom it is for is told so, too.
    func stopping() { cancel() }

    func abandon() { cancel() }
}
