// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore

/// A thread that has sessions, as other threads know it: a client that comes back to one of them is sent there.
///
/// Unchecked: what it holds is touched on its own thread only, by what is posted there.
final class SessionThread: @unchecked Sendable {
    private let mailbox: Reactor.Mailbox
    // Not weak: what is referred to weakly is dearer to retain, and everything on the thread retains this.
    private var environment: BridgeEnvironment?

    init(_ environment: BridgeEnvironment) {
        mailbox = environment.reactor.mailbox
        self.environment = environment
    }

    /// The thread has nothing to do any more. Call it on the thread, or when it has ended.
    func end() {
        environment = nil
    }

    /// Brings a client to one of the thread's sessions, or tells it why it does not get it.
    func send(_ arrival: Arrival, to handle: Reactor.Handle) {
        mailbox.post { _ in
            if let environment = self.environment { Bridge.receive(arrival, at: handle, environment: environment) }
        }
    }

    /// Whether the thread has ended, as it does in a gateway that drains when it has no connection any more.
    var hasEnded: Bool { mailbox.isClosed }

    /// Asks something on the thread; nothing happens when it has ended.
    func ask(_ question: @escaping @Sendable (BridgeEnvironment) -> Void) {
        mailbox.post { _ in
            if let environment = self.environment { question(environment) }
        }
    }

    /// Lets the thread go on by a newer edition.
    func adopt(_ edition: Edition) {
        mailbox.post { _ in
            guard let environment = self.environment else { return edition.threadIsDone(ReloadReport()) }
            environment.adopt(edition)
        }
    }
}

/// A connection on its way to the session that it resumes.
///
/// Unchecked: it has one owner at a time, first the thread that accepted it, then that of the session.
final class Arrival: @unchecked Sendable {
    let client: ClientLink
    let peer: String?
    let listener: ListenerLoad
    /// The listener by which its certificates are judged, and the one at which the peer that brings it connected.
    let tlsListener: Int
    let carrierListener: Int?
    let log: ConnectionLog
    /// What it said when it asked for its session, and who it is.
    let token: String
    let resolution: IdentityMap.Resolution
    /// What it was judged by.
    let snapshot: GatewaySnapshot
    /// What its thread judges newcomers by, which may be newer.
    let edition: Edition

    init(
        client: ClientLink,
        peer: String?,
        listener: ListenerLoad,
        tlsListener: Int,
        carrierListener: Int?,
        log: ConnectionLog,
        token: String,
        resolution: IdentityMap.Resolution,
        snapshot: GatewaySnapshot,
        edition: Edition
    ) {
        self.client = client
        self.peer = peer
        self.listener = listener
        self.tlsListener = tlsListener
        self.carrierListener = carrierListener
        self.log = log
        self.token = token
        self.resolution = resolution
        self.snapshot = snapshot
        self.edition = edition
    }

    /// Who it is by the configuration of the session's thread.
    ///
    /// - Throws: Why it may not connect any more.
    func resolution(by environment: BridgeEnvironment) throws -> IdentityMap.Resolution {
        let current = environment.snapshot
        guard snapshot !== current else { return resolution }
        if let carrierListener { try client.checkCarrier(by: current, at: carrierListener) }
        if let context = current.tlsContext(of: tlsListener) { try client.judge(by: context) }
        guard let identity = try client.identity() else {
            throw CloseReason(.identityRefused, "the client showed no certificate")
        }
        return try current.terms(for: identity).resolution
    }
}
