// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import IPCProtocol
internal import TLSEngine

/// The way of the data: bytes in, judged, and out at the other side.
extension Bridge {
    /// Frames of one connection that are judged in one turn of the loop, so that others have theirs.
    private static let framesPerTurn = 32
    /// Nanoseconds for which the rest of a large message is waited for without a look at what has come of it.
    private static let restTime: UInt64 = 100_000_000

    // MARK: From the client

    func receiveFromClient() {
        let reception = client.receive()
        defer { client.flush() }
        if let client = client.proxy?.takeAnnouncement() { comesThroughProxy("\(client)") }
        switch reception {
        case .nothing:
            break
        case .failed(let reason):
            // A loss ends the connection in order, with what was accepted before it; of a session any failure is that.
            if phase != .open || (!client.isLost && persistence == nil) { close(reason) }
        case .plaintext(let count):
            noteActivity()
            charge(count, &clientRate, &deadlines.clientRate, isInbound: true)
            if client.isEstablished, session == nil, !awaitsStatement { handshakeFinished() }
            if count > 0 { persistence?.session.heard(at: reactor.now) }
            guard phase != .lingering else { return }
            takeFromClient(UnsafeMutableRawBufferPointer(rebasing: reactor.scratch.plaintext[..<count]))
            guard phase != .lingering else { return }
            let isAwaited = client.awaitRest(pendingFrame.map { $0.byteCount - client.pending.count } ?? 0)
            deadlines.rest = isAwaited ? reactor.now + Self.restTime : .max
        }
    }

    /// Judges what has come. Only what belongs to a frame that has begun earlier, or is incomplete, is copied.
    private func takeFromClient(_ bytes: UnsafeMutableRawBufferPointer) {
        var taken = 0
        while !client.pending.isEmpty, taken < bytes.count {
            let share = client.pending.share(of: bytes.count - taken, toComplete: pendingFrame?.byteCount)
            client.pending.append(UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + share]))
            taken += share
            judgePendingFromClient()
            guard phase != .lingering else { return }
        }
        guard taken < bytes.count else { return }
        taken += judgeFromClient(UnsafeMutableRawBufferPointer(rebasing: bytes[taken...]))
        guard phase != .lingering else { return }
        client.pending.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]), ofFrame: pendingFrame?.byteCount)
    }

    func judgePendingFromClient() {
        guard phase != .lingering else { return }
        // Taken out meanwhile: judging may close the bridge, which empties the queue.
        var pending = ByteQueue()
        swap(&pending, &client.pending)
        let judged = pending.withUnsafeMutableBytes(judgeFromClient)
        // A frame that is refused by its header has not come completely, so not all that is judged is there.
        guard phase != .lingering else { return }
        pending.consume(judged)
        client.pending = pending
    }

    private func handshakeFinished() {
        if !client.isLocal { environment.meter.handshakeEnded(client.isResumed ? "resumed" : "full") }
        log.established(client.negotiated)
        if environment.isDraining { return close(CloseReason(.stopping, "the gateway is stopping")) }
        // It may have begun under another, whose authorities and revocation lists are not in force any more.
        snapshot = environment.snapshot
        do {
            if let context = snapshot.tlsContext(of: tlsListener), !client.wasJudged(by: context) {
                try client.judge(by: context)
            }
            guard let identity = try client.identity() else {
                return close(CloseReason(.identityRefused, "the client showed no certificate"))
            }
            endHandshake()
            log.identified(identity)
            if snapshot.isForPeers(tlsListener) {
                try awaitStatement(identity)
            } else {
                let session = try snapshot.session(for: identity)
                self.session = session
                if client.negotiated?.applicationProtocol == PersistentSession.applicationProtocol {
                    startPersistence(session.terms)
                }
            }
            guard phase == .handshaking else { return }
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

    /// Frames of the same bytes that stand together and go to the same server.
    private struct Run {
        var start: Int
        var end: Int
        var target: Int
    }

    /// Judges complete frames and passes what may pass; frames that stand together go out in one write.
    ///
    /// - Returns: How many bytes are dealt with.
    private func judgeFromClient(_ mutableBytes: UnsafeMutableRawBufferPointer) -> Int {
        let bytes = UnsafeRawBufferPointer(mutableBytes)
        var position = 0
        var run = Run(start: 0, end: 0, target: 0)
        var frames = 0
        while phase != .lingering, frames < Self.framesPerTurn, position < bytes.count {
            // What follows the wish for another session is that one's.
            guard persistence?.wantedToken == nil, let step = nextStep(mutableBytes, from: position) else { break }
            if case .wait = step.action {
                let began = position > 0 ? nil : pendingFrame?.began
                pendingFrame = PendingFrame(began: began ?? reactor.now, byteCount: step.byteCount)
                break
            }
            frames += 1
            pendingFrame = nil
            let start = position
            position += step.byteCount
            if case .forward(let target) = step.action {
                if run.start == run.end || run.target != target {
                    forward(run, of: bytes)
                    run = Run(start: start, end: start, target: target)
                }
                run.end = position
            } else {
                forward(run, of: bytes)
                run = Run(start: position, end: position, target: 0)
                if perform(step.action) == .closing { return position }
            }
        }
        forward(run, of: bytes)
        if frames == Self.framesPerTurn, position < bytes.count {
            clientHasMore = true
            askForTurn()
        }
        return position
    }

    private func nextStep(
        _ bytes: UnsafeMutableRawBufferPointer,
        from position: Int
    ) -> GatewaySession.Step<GatewaySession.ClientAction>? {
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[position...])
        if let persistence { return persistentStep(persistence, rest) }
        let span = UnsafeRawBufferPointer(rest).assumingMemoryBound(to: UInt8.self).span
        if awaitsStatement { return statementStep(span) }
        return session?.receivedFromClient(span, at: reactor.now)
    }

    private func forward(_ run: Run, of bytes: UnsafeRawBufferPointer) {
        guard run.start < run.end else { return }
        forward(UnsafeRawBufferPointer(rebasing: bytes[run.start..<run.end]), to: run.target)
    }

    private enum Outcome {
        case goingOn
        case closing
    }

    private func perform(_ action: GatewaySession.ClientAction) -> Outcome {
        switch action {
        case .wait, .forward, .swallow:
            break
        case .replace(let frame, let target):
            frame.withUnsafeBytes { forward($0, to: target) }
        case .accept:
            accepted()
        case .deny(let answer, let denial):
            noteDenial(denial)
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
        isListenersClient = listener.addClient()
        guard isListenersClient else {
            let limit = listener.limits.clients ?? 0
            let message = "there are \(limit) clients at \(listener.name) already (listeners[].limits.clients)"
            return close(CloseReason(.clientLimit, message))
        }
        let limits = session.terms.clientLimits
        guard
            let load = environment.identities.claim(
                session.terms.resolution,
                limits.perIdentity,
                generation: snapshot.generation,
                at: reactor.now
            )
        else {
            let message = "its identity has \(limits.perIdentity.clients) clients already (limits.perIdentity.clients)"
            return close(CloseReason(.identityLimit, message))
        }
        identityLoad = load
        isTransparent = session.terms.upstreams.count == 1 && !session.survivesLoss(of: 0)
        self.session?.share(load)
        startMeter()
        limitBytes(to: limits.bytesPerSecond)
        environment.newcomers.remove(self)
        phase = .open
        deadlines.client = .max
        log.accepted(session)
        listSession(session)
        startAudit(session)
        GatewaySession.initialize.withUnsafeBytes(sendToClient)
        for (index, upstream) in session.terms.upstreams.enumerated() where upstream.eager { dial(index) }
    }

    /// Takes bytes out of a direction's rate; reading pauses while more than a second's worth has been taken.
    private func charge(
        _ count: Int,
        _ bucket: inout TokenBucket?,
        _ deadline: inout UInt64,
        isInbound: Bool
    ) {
        guard phase == .open, count > 0 else { return }
        let own = bucket?.charge(count, at: reactor.now) ?? 0
        let shared = identityLoad?.charge(count, isInbound: isInbound, at: reactor.now) ?? 0
        let until = max(own, shared)
        deadline = until > reactor.now ? until : .max
    }

    func sendToClient(_ bytes: UnsafeRawBufferPointer) {
        if let persistence { return sendMessages(bytes, persistence) }
        do throws(TLSError) {
            try client.send(bytes)
        } catch {
            close(CloseReason(error))
        }
    }

    private func forward(_ frames: UnsafeRawBufferPointer, to index: Int) {
        guard !frames.isEmpty else { return }
        // Where the server was lost since this was judged, nobody is left whom it is about.
        if link(index) == nil, session?.mayDial(index) == true { dial(index) }
        guard let link = link(index) else { return }
        link.send(frames)
        if link.backlogByteCount > 0 { noteQueues() }
    }

    // MARK: From a server

    func receive(from link: UpstreamLink) {
        let count = link.receive(into: reactor.scratch.input)
        let bytes = UnsafeRawBufferPointer(rebasing: reactor.scratch.input[..<count])
        if count > 0 || link.hasEnded { noteActivity() }
        charge(count, &upstreamRate, &deadlines.upstreamRate, isInbound: false)
        take(bytes, from: link)
        client.flush()
    }

    /// As `takeFromClient`.
    private func take(_ bytes: UnsafeRawBufferPointer, from link: UpstreamLink) {
        var taken = 0
        while !link.pending.isEmpty, taken < bytes.count {
            let share = link.pending.share(
                of: bytes.count - taken,
                toComplete: link.hasMore ? nil : link.frameByteCount
            )
            link.pending.append(UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + share]))
            taken += share
            judgePending(from: link)
            guard phase != .lingering else { return }
        }
        guard taken < bytes.count else { return }
        taken += judge(UnsafeRawBufferPointer(rebasing: bytes[taken...]), from: link)
        guard phase != .lingering else { return }
        link.pending.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]), ofFrame: link.frameByteCount)
    }

    func judgePending(from link: UpstreamLink) {
        guard phase != .lingering else { return }
        var pending = ByteQueue()
        swap(&pending, &link.pending)
        let judged = pending.withUnsafeBytes { judge($0, from: link) }
        guard phase != .lingering else { return }
        pending.consume(judged)
        link.pending = pending
    }

    private func judge(_ bytes: UnsafeRawBufferPointer, from link: UpstreamLink) -> Int {
        let span = bytes.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        var passed = 0
        var frames = 0
        while phase != .lingering, frames < Self.framesPerTurn, position < span.count {
            let rest = span.extracting(position...)
            guard let step = session?.receivedFromServer(rest, link.index, at: reactor.now) else { break }
            if case .wait = step.action {
                link.frameByteCount = step.byteCount
                break
            }
            frames += 1
            if case .forward = step.action {
                position += step.byteCount
                continue
            }
            sendToClient(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
            position += step.byteCount
            passed = position
            switch step.action {
            case .wait, .forward, .swallow:
                break
            case .replace(let frame):
                frame.withUnsafeBytes(sendToClient)
            case .deny(let answer, let denial):
                noteDenial(denial)
                answer.withUnsafeBytes(link.sendOwn)
            case .close(let reason):
                lose(link.index, reason, wasReached: true)
                return bytes.count
            }
            if link.readyDeadline != .max, session?.isReady(link.index) == true { link.readyDeadline = .max }
        }
        sendToClient(UnsafeRawBufferPointer(rebasing: bytes[passed..<position]))
        if frames == Self.framesPerTurn, position < bytes.count {
            link.hasMore = true
            askForTurn()
        }
        return position
    }
}
