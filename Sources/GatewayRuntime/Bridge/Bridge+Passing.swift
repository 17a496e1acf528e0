// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import TLSEngine

/// The way of the data: bytes in, judged, and out at the other side.
extension Bridge {
    /// Frames of one connection that are judged in one turn of the loop, so that others have theirs.
    private static let framesPerTurn = 32
    /// How long to wait before a server whose queue was full is dialled again.
    private static let redialInterval: UInt64 = 20_000_000

    // MARK: From the client

    func receiveFromClient() {
        let reception = client.receive()
        defer { client.flush() }
        switch reception {
        case .nothing:
            break
        case .failed(let reason):
            // A loss ends the connection in order, with what was accepted before it.
            if !client.isLost || phase != .open { close(reason) }
        case .plaintext(let count):
            noteActivity()
            if client.isEstablished, phase == .handshaking { handshakeFinished() }
            guard phase != .lingering else { return }
            let plaintext = UnsafeRawBufferPointer(rebasing: reactor.scratch.plaintext[..<count])
            if client.pending.isEmpty {
                let judged = judgeFromClient(plaintext)
                guard phase != .lingering else { return }
                client.pending.append(UnsafeRawBufferPointer(rebasing: plaintext[judged...]))
            } else {
                client.pending.append(plaintext)
                judgePendingFromClient()
            }
        }
    }

    func judgePendingFromClient() {
        guard phase != .lingering else { return }
        // Taken out meanwhile: judging may close the bridge, which empties the queue.
        var pending = ByteQueue()
        swap(&pending, &client.pending)
        let judged = pending.withUnsafeBytes(judgeFromClient)
        // A frame that is refused by its header has not come completely, so not all that is judged is there.
        guard phase != .lingering else { return }
        pending.consume(judged)
        client.pending = pending
        client.flush()
    }

    private func handshakeFinished() {
        log.established(client.tls.negotiated)
        do {
            guard let identity = try client.tls.peerCertificate() else {
                return close(CloseReason(.identityRefused, "the client showed no certificate"))
            }
            log.identified(identity)
            session = try snapshot.session(for: identity)
            phase = .announcing
            deadlines.client = reactor.now + snapshot.configuration.timeouts.context
        } catch let reason as CloseReason {
            close(reason)
        } catch let error as TLSError {
            close(CloseReason(error))
        } catch {
            close(CloseReason(.gatewayFailure, "\(error)"))
        }
    }

    /// Judges complete frames and passes what may pass; frames that stand together go out in one write.
    ///
    /// - Returns: How many bytes are dealt with.
    private func judgeFromClient(_ bytes: UnsafeRawBufferPointer) -> Int {
        let span = bytes.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        var passed = 0
        var frames = 0
        while phase != .lingering, frames < Self.framesPerTurn, position < span.count {
            guard let step = session?.receivedFromClient(span.extracting(position...)) else { break }
            if step.action == .wait {
                let began = position > 0 ? nil : pendingFrame?.began
                pendingFrame = PendingFrame(began: began ?? reactor.now, byteCount: step.byteCount)
                break
            }
            frames += 1
            pendingFrame = nil
            if step.action != .forward {
                forward(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
                passed = position + step.byteCount
            }
            position += step.byteCount
            if perform(step.action) == .closing { return position }
        }
        forward(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
        if frames == Self.framesPerTurn, position < bytes.count {
            clientHasMore = true
            askForTurn()
        }
        return position
    }

    private enum Outcome {
        case goingOn
        case closing
    }

    private func perform(_ action: GatewaySession.ClientAction) -> Outcome {
        switch action {
        case .wait, .forward, .swallow:
            break
        case .accept:
            accepted()
        case .deny(let answer, let denial):
            log.denied(denial)
            answer.withUnsafeBytes(sendToClient)
        case .close(let reason):
            close(reason)
        }
        return phase == .lingering ? .closing : .goingOn
    }

    private func accepted() {
        guard let session else { return }
        let limit = snapshot.configuration.limits.clients
        guard environment.load.addClient(limit: limit) else {
            return close(CloseReason(.clientLimit, "there are \(limit) clients already (limits.clients)"))
        }
        isCountedClient = true
        environment.newcomers.remove(self)
        phase = .open
        deadlines.client = .max
        log.accepted(session)
        GatewaySession.initialize.withUnsafeBytes(sendToClient)
        if session.upstream.eager { dial() }
    }

    private func sendToClient(_ bytes: UnsafeRawBufferPointer) {
        do throws(TLSError) {
            try client.send(bytes)
        } catch {
            close(CloseReason(error))
        }
    }

    private func forward(_ frames: UnsafeRawBufferPointer) {
        guard !frames.isEmpty else { return }
        if upstream == nil { dial() }
        upstream?.send(frames)
    }

    // MARK: The local server

    private func dial() {
        guard let session, phase == .open else { return }
        do throws(SystemError) {
            let link = try UpstreamLink(path: snapshot.configuration.resolve(session.upstream.unix))
            openUpstream(link)
            // Context and Initialize wait in the queue, so that they leave in one write, before anything else.
            session.upstreamOpening.withUnsafeBytes(link.send)
            deadlines.upstream = reactor.now + snapshot.configuration.timeouts.upstream
        } catch {
            return upstreamFailed(error)
        }
        connectUpstream()
    }

    func connectUpstream() {
        guard let upstream else { return }
        deadlines.redial = .max
        do throws(SystemError) {
            try upstream.connect()
            if upstream.state == .queued { deadlines.redial = reactor.now + Self.redialInterval }
        } catch {
            upstreamFailed(error)
        }
    }

    private func upstreamFailed(_ error: SystemError) {
        guard let upstream = session?.upstream else { return }
        let hint =
            switch error.code {
            case ENOENT: "is the server running, and is this the path it listens on?"
            case ECONNREFUSED: "the socket is there but nobody listens; is the server running?"
            case EACCES, EPERM: "the gateway's user may not write to the socket or enter its folder"
            case EMFILE, ENFILE: "the gateway has no descriptors left; raise its limit"
            default: "check the server and the socket"
            }
        let path = snapshot.configuration.resolve(upstream.unix)
        let message = "the local server '\(upstream.name)' at \(path) cannot be reached: \(error.reason); \(hint)"
        close(CloseReason(.upstreamUnavailable, message))
    }

    func receiveFromUpstream() {
        guard let upstream else { return }
        let count = upstream.receive(into: reactor.scratch.input)
        let bytes = UnsafeRawBufferPointer(rebasing: reactor.scratch.input[..<count])
        if count > 0 || upstream.hasEnded { noteActivity() }
        if upstream.pending.isEmpty {
            let judged = judgeFromUpstream(bytes)
            guard phase != .lingering else { return }
            upstream.pending.append(UnsafeRawBufferPointer(rebasing: bytes[judged...]))
        } else {
            upstream.pending.append(bytes)
            judgePendingFromUpstream()
        }
        client.flush()
    }

    func judgePendingFromUpstream() {
        guard phase != .lingering, let upstream else { return }
        var pending = ByteQueue()
        swap(&pending, &upstream.pending)
        let judged = pending.withUnsafeBytes(judgeFromUpstream)
        guard phase != .lingering else { return }
        pending.consume(judged)
        upstream.pending = pending
        client.flush()
    }

    private func judgeFromUpstream(_ bytes: UnsafeRawBufferPointer) -> Int {
        let span = bytes.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        var passed = 0
        var frames = 0
        while phase != .lingering, frames < Self.framesPerTurn, position < span.count {
            guard let step = session?.receivedFromServer(span.extracting(position...)), step.action != .wait else {
                break
            }
            frames += 1
            if step.action != .forward {
                sendToClient(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
                passed = position + step.byteCount
            }
            position += step.byteCount
            switch step.action {
            case .wait, .forward, .swallow:
                break
            case .deny(let answer, let denial):
                log.denied(denial)
                answer.withUnsafeBytes { upstream?.send($0) }
            case .close(let reason):
                close(reason)
                return position
            }
            if session?.serverIsReady == true { deadlines.upstream = .max }
        }
        sendToClient(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
        if frames == Self.framesPerTurn, position < bytes.count {
            upstreamHasMore = true
            askForTurn()
        }
        return position
    }
}
