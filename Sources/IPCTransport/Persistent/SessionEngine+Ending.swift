// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension SessionEngine {
    /// Ends the session: what was sent before still leaves, then the peer is told.
    ///
    /// - Parameters:
    ///   - end: What the receiver hears. Of several the first counts.
    ///   - isOurs: Whether this side has decided it without a fault of the peer: then the receiver hears of it when everything
    ///     has left, and gets nothing more. Otherwise it hears at once, behind what came before.
    func finish(_ end: ConnectionEnd, isOurs: Bool = false) {
        guard phase == .open else {
            if isOurs { nobodyWantsMore() }
            return
        }
        phase = .finishing
        self.end = end
        isOurEnd = isOurs
        shared.stopAccepting()
        if !isOurs { tell() }
        guard session.link == .open || session.failure != nil, link != nil else {
            // Nothing can leave, nor must what was asked arrive later, when nobody waits for the answer.
            if session.failure == nil { link?.resetWhenClosed() }
            link?.close()
            link = nil
            return finished()
        }
        startLinger()
        schedulePump()
        // Acknowledgements make room for what is left; what comes with them is thrown away.
        if !isBusy { process(pumpsLater: true) }
    }

    /// Somebody closes a session that ends already: what was not delivered will not be.
    private func nobodyWantsMore() {
        guard !isOurEnd else { return }
        inbound = MessageQueue()
        tell()
        if phase == .over { letGo() }
    }

    /// Ends the session because it cannot go on, and tells the peer why.
    func fail(_ failure: SessionFailure) {
        guard phase == .open else { return }
        let control = SessionControl.error(failure.code, reason: failure.message)
        try? session.sendControl(control.encoded())
        // They can never leave.
        shared.forgetWaiting()
        let code: ConnectionEnd.Code =
            [.malformed, .limit, .notAllowed, .unsupportedVersion].contains(failure.code) ? .malformed : .lost
        giveUp(ConnectionEnd(code, "\(failure.message) (\(failure.code.rawValue))"))
    }

    /// Ends the session for good, though neither side has closed it.
    func giveUp(_ end: ConnectionEnd) {
        guard phase == .open else { return }
        shared.report(.failed(end))
        finish(end)
    }

    /// More waits for the peer than may.
    func overflowed() {
        let bound = options.maximumPendingBytes
        let end = ConnectionEnd(.slowPeer, "the peer does not read: more than \(bound) bytes wait for it")
        guard phase == .open else { return }
        shared.report(.failed(end))
        detach()
        finish(end)
    }

    /// Says Disconnect when everything else has left, and closes the connection behind it.
    func finishIfDone() {
        guard phase == .finishing, let link else { return }
        let isWorking = session.failure == nil && !session.isDisconnectedByPeer
        if isWorking {
            guard shared.isEmpty else { return }
            if !session.hasSentDisconnect {
                session.sendDisconnect()
                return schedulePump()
            }
        }
        // A peer that has asked for a pause gets what is left when it lets this side go on, or never.
        guard !session.hasOutput, !session.isPaused else { return }
        self.link = nil
        isLeaving = true
        let closed = link.channel?.closeFuture
        link.finish(within: TimeAmount(options.lingerTimeout)) { self.finished(closed) }
    }

    /// Everything has left, or cannot.
    ///
    /// - Parameter closed: When the connection is closed, if the peer gets time for that.
    func finished(_ closed: EventLoopFuture<Void>? = nil) {
        guard phase != .over else { return }
        phase = .over
        shared.stopAccepting()
        session.connectionLost()
        link?.close()
        link = nil
        let role = self.role
        self.role = nil
        if let end { role?.ended(end) }
        linger?.cancel()
        linger = nil
        tell()
        // What was not delivered waits until it is.
        if end == nil || isOurEnd || inbound.isEmpty { letGo() }
        shared.end()
        let shared = shared
        if let closed { closed.whenComplete { _ in shared.close() } } else { shared.close() }
    }

    /// Tells the receiver of the end behind everything that came before, and lets it go.
    func tell() {
        guard phase == .over || (phase == .finishing && !isOurEnd), let end, let receiver else { return }
        guard isOurEnd || inbound.isEmpty else { return }
        self.receiver = nil
        receiver.connectionEnded(end)
    }

    /// Nothing is to be done any more: lets everything go.
    func letGo() {
        timer?.cancel()
        timer = nil
        linger?.cancel()
        linger = nil
        inbound = MessageQueue()
    }

    private func startLinger() {
        let handed = handedByteCount - (link?.bufferedByteCount ?? 0)
        linger?.cancel()
        linger = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.lingerTimeout)) {
            guard self.phase == .finishing, !self.isLeaving else { return }
            guard let link = self.link else { return self.finished() }
            // It goes on as long as the peer takes what was sent before.
            if self.handedByteCount - link.bufferedByteCount > handed { return self.startLinger() }
            self.link = nil
            link.close()
            self.finished()
        }
    }

    /// Asks the system how long a message takes on the connection that is there.
    func noteRoundTrip() {
        #if os(Linux)
        guard let provider = link?.channel as? any SocketOptionProvider else { return }
        let shared = shared
        provider.getTCPInfo().whenSuccess { info in
            guard info.tcpi_rtt > 0 else { return }
            shared.noteRoundTrip(.microseconds(Int64(info.tcpi_rtt)))
        }
        #endif
    }
}
