// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// The persistent protocol on the client's side: frames with sequence numbers in, messages out. Behind it everything is as
/// with the plain protocol.
extension Bridge {
    /// Whether the session waits for its client.
    var isDetached: Bool { persistence?.isDetached ?? false }

    /// The client has asked, by ALPN, for a session that outlives its connection.
    func startPersistence(_ terms: SessionTerms) {
        let configuration = snapshot.configuration
        persistence = Persistence(
            token: environment.sessions.makeToken(),
            graceTime: configuration.clients[terms.resolution.entry].graceTime ?? configuration.sessions.graceTime,
            limits: configuration.sessions,
            client: terms.clientLimits,
            upstreamCount: max(1, terms.upstreams.count),
            wire: configuration.limits.wire,
            at: reactor.now
        )
    }

    /// From now on the client can come back.
    func listSession(_ session: GatewaySession) {
        guard let persistence, let context = session.context, let clientHandle else { return }
        let owner = SessionOwner(session.terms.resolution, context: context)
        let home = SessionTable.Home(thread: environment.sessionThread, handle: clientHandle)
        environment.sessions.add(persistence.token, owner, home)
        persistence.isListed = true
    }

    /// From now on it cannot, and is told why.
    func endListing(_ epitaph: SessionTable.Refusal) {
        guard let persistence, persistence.isListed else { return }
        persistence.isListed = false
        environment.sessions.end(persistence.token, epitaph)
    }

    // MARK: From the client

    /// Judges the first frame of `bytes`. A message that is the next one becomes a frame of the plain protocol, where it is.
    func persistentStep(
        _ persistence: Persistence,
        _ bytes: UnsafeMutableRawBufferPointer
    ) -> GatewaySession.Step<GatewaySession.ClientAction> {
        let span = UnsafeRawBufferPointer(bytes).assumingMemoryBound(to: UInt8.self).span
        guard let header = FrameHeader(span), let limits = session?.frameLimits else {
            return .init(byteCount: FrameHeader.byteCount, action: .wait)
        }
        let byteCount = FrameHeader.byteCount + header.bodyLength
        do throws(WireError) {
            try header.validatePersistent(persistence.settings)
            if header.type == .regular { try header.validateLength(limits: limits) }
        } catch {
            let reason = CloseReason(
                CloseReason.Code(rawValue: error.code.rawValue),
                "the client sent a malformed frame: \(error)"
            )
            return .init(byteCount: byteCount, action: .close(reason))
        }
        guard bytes.count >= byteCount else { return .init(byteCount: byteCount, action: .wait) }
        do throws(SessionFailure) {
            switch try persistence.session.receive(header, at: reactor.now) {
            case .message:
                // Sequence number and acknowledgement are the connection's business; the plain protocol has zeros there.
                for place in 1..<9 { bytes[place] = 0 }
                if let step = session?.receivedFromClient(span, at: reactor.now) { return step }
            case .control:
                let body = Array(bytes[FrameHeader.byteCount..<byteCount])
                try receivedControl(SessionControl(body), persistence)
            case .disconnected, .duplicate, .missing, .handled:
                break
            }
            return .init(byteCount: byteCount, action: .swallow)
        } catch {
            return .init(byteCount: byteCount, action: .close(CloseReason(error)))
        }
    }

    private func receivedControl(_ control: SessionControl, _ persistence: Persistence) throws(SessionFailure) {
        guard case .connect(let token) = control else {
            throw SessionFailure(.malformed, "the client sent a Control message that only a gateway sends")
        }
        guard !persistence.isOpen else {
            throw SessionFailure(.malformed, "the client asked for a session, and had one")
        }
        if let token {
            persistence.wantedToken = token
        } else if relayedBy != nil {
            throw SessionFailure(.malformed, "a peer brings clients back; it begins no sessions for them")
        } else {
            try persistence.session.sendControl(persistence.welcome)
            persistence.session.open(at: reactor.now)
            persistence.isOpen = true
        }
    }

    // MARK: To the client

    /// Takes frames of the plain protocol as messages of the session, which keeps them until they are acknowledged.
    func sendMessages(_ frames: UnsafeRawBufferPointer, _ persistence: Persistence) {
        let span = frames.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        do throws(SessionFailure) {
            while position < span.count, let header = FrameHeader(span.extracting(position...)) {
                let end = position + FrameHeader.byteCount + header.bodyLength
                let message = span.extracting(position + FrameHeader.byteCount..<end)
                try persistence.session.send(copying: message, at: reactor.now)
                position = end
            }
        } catch {
            close(CloseReason(error))
        }
    }

    /// Writes what the session has to write, as far as there is room.
    func pump() {
        guard let persistence, !persistence.isDetached else { return }
        let limit = snapshot.configuration.limits.queueBytes
        while client.backlogByteCount <= limit, persistence.session.hasOutput {
            var frames = environment.takeFrameBuffer()
            persistence.session.appendOutput(to: &frames, upTo: Scratch.largeByteCount, at: reactor.now)
            let isEmpty = frames.isEmpty
            // A failure of TLS is the connection's: `advance` deals with it.
            do { try frames.withUnsafeBytes { try client.send($0) } } catch { client.fail() }
            environment.giveBack(&frames)
            client.flush()
            if isEmpty { break }
        }
    }

    // MARK: What the session is told

    /// Brings the session in line with what can be taken and is read.
    func settlePersistence() {
        guard let persistence else { return }
        if phase == .open || phase == .announcing, !persistence.isDetached {
            let hasRoom =
                !isTransparent || (links.first?.backlogByteCount ?? 0) <= snapshot.configuration.limits.queueBytes
            persistence.session.takeMessages(hasRoom && persistence.hasRoomForAnswers, at: reactor.now)
            persistence.session.readConnection(clientMayRead, at: reactor.now)
            pump()
        }
        countHeldBytes(persistence)
    }

    /// The time of the session has come: acknowledgements, keep-alives, a client that is silent for too long.
    func persistentExpired() {
        guard let persistence, let timeOut = persistence.session.advance(to: reactor.now), phase == .open else {
            return
        }
        let message =
            "nothing came from the client for \(timeOut.silence / 1_000_000_000) s, "
            + "and \(timeOut.unacknowledgedCount) messages wait for its acknowledgement"
        detach(CloseReason(.silent, message))
    }

    /// Whether servers may be read from: what they send has to be kept until the client has acknowledged it.
    func hasRoomForMessages(_ persistence: Persistence) -> Bool {
        guard persistence.session.canSend else { return false }
        let limits = snapshot.configuration.sessions
        guard
            environment.sessions.load.byteCount >= limits.keptBytes
                || (identityLoad?.sessions.byteCount ?? 0) >= limits.perIdentity.keptBytes
        else { return true }
        // All together keep too much: who is there, and takes what comes, may go on as with the plain protocol.
        return !persistence.isDetached && persistence.heldByteCount < snapshot.configuration.limits.queueBytes
    }

    /// Brings the count of what is kept for the client up to date.
    func countHeldBytes(_ persistence: Persistence, isOver: Bool = false) {
        var held = isOver || clientHandle == nil ? 0 : persistence.heldByteCount
        if persistence.isDetached { held += links.reduce(0) { $0 + $1.backlogByteCount + $1.pending.count } }
        guard held != persistence.countedBytes else { return }
        environment.sessions.load.addBytes(held - persistence.countedBytes)
        identityLoad?.sessions.addBytes(held - persistence.countedBytes)
        persistence.countedBytes = held
    }
}
