// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// How far a session is that comes to its end because the gateway stops.
enum DrainState: Sendable {
    /// It is not draining.
    case serving
    /// Calls that are open finish, new ones are refused. Events still pass: an open call may need them.
    case finishing
    /// Nothing is outstanding any more, and subscriptions have ended.
    case finished
}

/// A session whose gateway stops.
extension GatewaySession {
    /// Whether new calls and subscriptions of the client are refused, because the gateway stops.
    public var isDraining: Bool { draining != .serving }

    /// From now on the client's new calls are answered with an error, `Draining`, and its new subscriptions dropped.
    ///
    /// What is open goes on. Servers may still ask the client something while it waits for an answer, as a handler may
    /// need it; after that their calls are refused, too.
    public mutating func drain() {
        if draining == .serving { draining = .finishing }
    }

    /// Ends the subscriptions of both sides once no call is outstanding; asked for again and again while the session drains.
    ///
    /// A call that the gateway has answered itself, and whose server has not, is not outstanding: nobody waits for it.
    ///
    /// - Parameter now: The time.
    /// - Returns: What the sides have to be told, when the session has just finished or had before; nil while it has not, and
    ///   when it does not drain.
    public mutating func finishDraining(at now: UInt64) -> [Task]? {
        switch draining {
        case .serving: return nil
        case .finished: return []
        case .finishing: break
        }
        guard dueAnswers.isEmpty, !isClientWaiting, !serverRequests.contains(where: { $0.state.isCall }) else {
            return nil
        }
        draining = .finished
        return endSubscriptions(at: now)
    }

    /// Calls of either side that somebody waits for, and that would remain without an answer if the session ended now.
    public var unansweredCallCount: Int {
        clientRequests.ids { [.call, .waitingCall, .deniedCall].contains($0.state) }.count
            + serverRequests.ids { $0.state == .call }.count
    }

    /// Whether requests of servers are refused: the client has all answers, and is about to be let go.
    var refusesServers: Bool { isDraining && !isClientWaiting }

    private var isClientWaiting: Bool {
        clientRequests.callCount > 0 && clientRequests.contains { $0.state.isCall && $0.state != .answeredCall }
    }

    private mutating func endSubscriptions(at now: UInt64) -> [Task] {
        var tasks: [Task] = []
        for id in clientRequests.ids(where: { !$0.state.isCall }) {
            guard let listen = endListen(id, .closed, at: now), listen.state == .listen else { continue }
            tasks.append(.tellServer(listen.upstream, Frame.regular(IPCMessage.unlisten(id: id)).encoded()))
        }
        for id in serverRequests.ids(where: { !$0.state.isCall }) where endServerListen(id, .closed, at: now) {
            tasks.append(.tellClient(Frame.regular(IPCMessage.unlisten(id: id)).encoded()))
        }
        return tasks
    }
}
