// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

/// A server's end of a session: waits for its client to come back.
final class HostedSession: SessionRole {
    let token: SessionToken
    let identity: SessionIdentity
    private let engine: SessionEngine
    private let host: SessionHost
    private var grace: Scheduled<Void>?

    init(_ engine: SessionEngine, token: SessionToken, identity: SessionIdentity, host: SessionHost) {
        self.engine = engine
        self.token = token
        self.identity = identity
        self.host = host
    }

    /// Whether it is decided that it ends.
    var isEnding: Bool { engine.phase != .open }

    /// Says `ok`, and lets messages flow behind it.
    func agree(_ flow: (inout PersistentSession) -> Void) {
        let seconds = Int(clamping: host.hosting.graceTime.components.seconds)
        engine.send(.ok(token: token.description, graceTime: min(max(seconds, 0), 999_999_999)))
        flow(&engine.session)
        engine.schedulePump()
    }

    /// The client is back; a connection that has not noticed its own end is taken from it.
    func resume(over link: SessionLink, unread: [UInt8]) {
        grace?.cancel()
        grace = nil
        let isReconnection = engine.link == nil
        engine.detach()
        engine.session.beginReconnection(unread: unread, at: SessionEngine.now)
        agree { $0.endReconnection(at: SessionEngine.now) }
        engine.shared.noteReconnections(engine.shared.statistics.reconnections + 1)
        if !isReconnection {
            engine.shared.report(
                .reconnecting(attempt: 1, nextAttemptIn: .zero, reason: "the client has dialled again")
            )
        }
        engine.shared.report(.reconnected(attempts: 1))
        engine.attach(link)
    }

    /// Nobody may come back to it any more.
    func giveUp(_ reason: String) {
        host.expired(self)
        engine.giveUp(ConnectionEnd(.lost, reason))
    }

    /// The listener is closed.
    func hostCloses() {
        guard engine.link != nil else { return giveUp("the server does not take connections any more") }
        engine.send(.goAway(reason: "the server is about to stop"))
    }

    // MARK: SessionRole

    func received(_ control: SessionControl) {
        switch control {
        case .connect: engine.fail(SessionFailure(.malformed, "'connect' came twice on one connection"))
        case .error(let code, let reason): engine.giveUp(ConnectionEnd(.refused, "\(reason) (\(code.rawValue))"))
        case .ok, .goAway: break
        }
    }

    func lost(_ end: ConnectionEnd) {
        // Who was never heard of would only fill the table.
        guard engine.session.lastReceivedID > 0 else { return engine.giveUp(end) }
        // The client decides when it dials again.
        engine.shared.report(.reconnecting(attempt: 1, nextAttemptIn: .zero, reason: end.reason))
        let graceTime = host.hosting.graceTime
        grace = engine.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(graceTime)) {
            self.giveUp("the client has not come back within \(graceTime.components.seconds) s: \(end.reason)")
        }
        host.detached(self)
    }

    func ended(_ end: ConnectionEnd) {
        grace?.cancel()
        grace = nil
        host.ended(self)
    }
}

@available(*, unavailable)
extension HostedSession: Sendable {}
