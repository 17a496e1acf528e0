// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore

/// A thread that has sessions, as other threads know it: a client that comes back to one of them is sent there.
///
/// Unchecked: what it holds is touched on its own thread only, by what is posted there.
final class SessionThread: @unchecked Sendable {
    private let mailbox: Reactor.Mailbox
    private weak let environment: BridgeEnvironment?

    init(_ environment: BridgeEnvironment) {
        mailbox = environment.reactor.mailbox
        self.environment = environment
    }

    /// Brings a client to one of the thread's sessions, or tells it that the session has just ended.
    func send(_ arrival: Arrival, to handle: Reactor.Handle) {
        mailbox.post { reactor in
            if let bridge = reactor.handler(of: handle) as? Bridge, bridge.isResumable {
                bridge.resume(arrival)
            } else if let environment = self.environment {
                Bridge.refuse(arrival, environment: environment)
            }
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
    let log: ConnectionLog
    /// What it said when it asked for its session, and who it is.
    let token: String
    let resolution: IdentityMap.Resolution

    init(
        client: ClientLink,
        peer: String?,
        listener: ListenerLoad,
        log: ConnectionLog,
        token: String,
        resolution: IdentityMap.Resolution
    ) {
        self.client = client
        self.peer = peer
        self.listener = listener
        self.log = log
        self.token = token
        self.resolution = resolution
    }
}
