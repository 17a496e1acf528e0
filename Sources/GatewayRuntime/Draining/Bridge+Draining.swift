// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol

/// What becomes of connections when the gateway stops.
extension Bridge {
    /// How long a connection that has said nothing yet may take to its first byte. Who has begun a handshake may finish it, so
    /// that he can be told why he is not served.
    private static let firstByteTime: UInt64 = 2_000_000_000

    /// How long a client may keep the gateway busy with refusals while it has nothing else to wait for.
    private static let refusingTime: UInt64 = 1_000_000_000

    /// The gateway stops: nothing new is begun. What is outstanding finishes, and then the client is let go.
    func beginDraining() {
        // Each of a bridge's handles is told.
        guard drainingSince == nil, clientHandle != nil, phase != .lingering else { return }
        drainingSince = reactor.now
        switch phase {
        case .lingering:
            break
        case .handshaking:
            deadlines.leaving = reactor.now + Self.firstByteTime
        case .announcing:
            close(CloseReason(.stopping, "the gateway is stopping"))
        case .open where isDetached:
            close(CloseReason(.stopping, "the gateway is stopping, and the client is away"))
        case .open:
            askToGo()
            deadlines.leaving = reactor.now + snapshot.configuration.timeouts.drain
            // What has come already is answered, each call by its id.
            session?.drain()
            if clientMayRead { receiveFromClient() }
        }
    }

    /// A client with a session is asked to finish and go elsewhere; others learn it with their next call.
    private func askToGo() {
        guard let persistence, !persistence.isGoingAway else { return }
        let goAway = SessionControl.goAway(reason: SessionCode.draining.rawValue).encoded()
        // What has no room for it is about to fail anyway.
        try? persistence.session.sendControl(goAway)
        persistence.isGoingAway = true
    }

    /// Lets the client go once nothing is outstanding.
    func advanceDraining() {
        guard let drainingSince, phase == .open, clientHandle != nil,
            // What has come is answered; but who goes on asking without end is let go, too.
            !clientHasMore || reactor.now >= drainingSince + Self.refusingTime,
            let tasks = session?.finishDraining(at: reactor.now)
        else { return }
        perform(tasks)
        guard phase == .open else { return }
        if let persistence, persistence.lastOwed == nil { persistence.lastOwed = persistence.session.lastSentID }
        // What the client has said to its servers is still theirs.
        for link in links where link.state == .connected && !link.isGone && link.backlogByteCount > 0 { return }
        if let persistence, !persistence.hasWhatIsOwed { return }
        close(CloseReason(.stopping, "the gateway is stopping, and nothing is outstanding"))
    }

    /// The time is over.
    func leavingExpired() {
        if phase == .handshaking, client.receivedByteCount > 0 {
            // `timeouts.handshake` goes on.
            deadlines.leaving = .max
        } else {
            cutShort()
        }
    }

    /// The gateway does not wait any more.
    func cutShort() {
        let message =
            phase == .open
            ? "the gateway is stopping, and something was still outstanding"
            : "the gateway is stopping, and the client was not through the handshake"
        close(CloseReason(.stopping, message))
    }

    /// Takes note of what the end of the gateway has cut, when a connection is closed for it.
    func noteCut(_ reason: CloseReason) {
        guard reason.code == .stopping, phase == .open, let session else { return }
        let calls = session.unansweredCallCount
        guard calls > 0 || persistence?.hasWhatIsOwed == false else { return }
        environment.tally.noteCut(calls: calls)
        isCut = true
    }

    /// A client that has been told to go, and has not taken what was queued for it, was cut, too.
    func noteUndelivered() {
        guard drainingSince != nil, phase == .lingering, !isCut, session?.isDraining == true, !client.isLost,
            !client.isDeaf,
            client.backlogByteCount > 0
        else { return }
        environment.tally.noteCut(calls: 0)
        isCut = true
    }
}
