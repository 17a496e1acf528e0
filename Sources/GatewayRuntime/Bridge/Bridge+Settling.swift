// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol

/// The last step of every event: what is watched, and until when, follows from the state alone.
extension Bridge {
    /// Brings what is watched, and the timer, in line with the state.
    func settle() {
        // What the client is sent goes through a buffer of the thread's: it must be empty when another has its turn.
        defer { client.flushOutput() }
        guard clientHandle != nil, !hasStayedAtRest() else { return }
        if countIncompleteBytes() {
            refuseIncompleteBytes()
            countIncompleteBytes()
        }
        if phase == .open { noteQueues() }
        if let token = persistence?.wantedToken, phase == .announcing { handOver(token) }
        if phase != .lingering, clientHandle != nil { advance() }
        advanceDraining()
        // Not instead: the first may lead to the second.
        if phase == .lingering, clientHandle != nil { advanceLingering() }
        writeRecords()
        settlePersistence()
        client.flushOutput()
        guard let clientHandle else { return }
        do throws(SystemError) {
            try watchClient(clientHandle)
            for link in links { try watch(link) }
        } catch {
            close(CloseReason(.gatewayFailure, "the gateway cannot watch the connection: \(error)"))
            return dispose()
        }
        updateDeadlines()
        arm(deadlines.next(links), clientHandle)
        isSettledAtRest = isAtRest
    }

    private func arm(_ next: UInt64, _ handle: Reactor.Handle) {
        guard next < armedDeadlines.last ?? .max else { return }
        armedDeadlines.append(next)
        reactor.wake(handle, at: next)
    }

    // MARK: At rest

    /// Whether nothing waits, nothing has begun and nothing has ended: after most events it is so, as it was before them.
    private var isAtRest: Bool {
        guard phase == .open, persistence == nil, isTransparent, drainingSince == nil, links.count == 1 else {
            return false
        }
        guard client.isAtRest, links[0].isAtRest, session?.hasRecords == false else { return false }
        return !clientHasMore && pendingFrame == nil && countedIncompleteBytes == 0 && !isHeldBack
    }

    /// Settles a connection that is at rest again: it is watched as it was, and only two deadlines may have moved.
    private func hasStayedAtRest() -> Bool {
        guard isSettledAtRest, let clientHandle else { return false }
        isSettledAtRest = isAtRest
        guard isSettledAtRest else { return false }
        deadlines.idle = snapshot.configuration.timeouts.idle.map { lastActivity + $0 } ?? .max
        deadlines.session = session?.nextDeadline ?? .max
        arm(min(deadlines.idle, deadlines.session), clientHandle)
        return true
    }

    /// Deadlines that follow from the state alone.
    private func updateDeadlines() {
        guard phase != .lingering else { return }
        let timeouts = snapshot.configuration.timeouts
        deadlines.idle =
            phase == .open && !isHeldBack && !isDetached ? timeouts.idle.map { lastActivity + $0 } ?? .max : .max
        // Time in which the gateway does not read is not the client's fault.
        if !clientMayRead { pendingFrame?.began = reactor.now }
        deadlines.frame = clientMayRead ? pendingFrame?.deadline(timeouts.frame) ?? .max : .max
        let now = reactor.now
        let clientSince = clientStall.update(queued: client.backlogByteCount, sent: client.sentByteCount, at: now)
        deadlines.clientStall = clientSince.map { $0 + timeouts.stall } ?? .max
        for link in links {
            // A server that is not read, for a client that is away, may have stopped reading for that reason.
            if isDetached, !mayRead(link) { link.stall = StallWatch() }
            let since = link.stall.update(queued: link.backlogByteCount, sent: link.sentByteCount, at: now)
            link.stallDeadline = since.map { $0 + timeouts.stall } ?? .max
        }
        deadlines.session = phase == .open ? session?.nextDeadline ?? .max : .max
        deadlines.persistence = isDetached ? .max : persistence?.session.nextDeadline ?? .max
    }

    private func watchClient(_ handle: Reactor.Handle) throws(SystemError) {
        var interest: Readiness = []
        if phase == .lingering ? !client.hasEnded : clientMayRead { interest.insert(.readable) }
        if client.backlogByteCount > 0 { interest.insert(.writable) }
        // A hang-up is looked at again when there is room to read.
        if clientHasHungUp || client.isLost, interest.isEmpty { return reactor.unwatch(handle) }
        guard !isDetached else { return }
        try reactor.watch(handle, client.socketNumber, for: interest)
    }

    private func watch(_ link: UpstreamLink) throws(SystemError) {
        guard link.state != .queued else { return }
        var interest: Readiness = []
        if mayRead(link) { interest.insert(.readable) }
        if link.state == .connecting || link.backlogByteCount > 0 { interest.insert(.writable) }
        // A server that is gone but not read to its end is looked at again when there is room.
        if link.isGone, interest.isEmpty { return reactor.unwatch(link.handle) }
        try reactor.watch(link.handle, link.socket.number, for: interest)
    }

    // MARK: Incomplete frames

    /// Brings the count of incomplete bytes up to date.
    ///
    /// - Returns: Whether this connection has made them too many.
    @discardableResult
    func countIncompleteBytes() -> Bool {
        let held = links.reduce(client.pending.count) { $0 + $1.pending.count }
        let growth = held - countedIncompleteBytes
        guard growth != 0 else { return false }
        countedIncompleteBytes = held
        if -growth > Scratch.largeByteCount { reactor.noteReleased(-growth) }
        let total = environment.load.addIncompleteBytes(growth)
        // Small ones are let be: they are most often complete with the next read, and cannot be what fills the memory.
        return growth > 0 && held > Scratch.largeByteCount && total > snapshot.configuration.limits.incompleteBytes
    }
}
