// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Synchronization

/// Where the sessions are that outlive their connections, and what has become of those that ended not long ago.
///
/// Its methods may be called from any thread.
final class SessionTable: Sendable {
    /// The thread that a session lives on, and its place there.
    struct Home: Sendable {
        var thread: SessionThread
        var handle: Reactor.Handle
    }

    /// Why somebody does not get a session.
    struct Refusal: Error {
        var code: SessionCode
        /// A sentence for people.
        var reason: String

        init(_ code: SessionCode, _ reason: String) {
            self.code = code
            self.reason = reason
        }

        /// Who asks is not the owner.
        init(_ code: SessionCode) {
            let reason =
                code == .notYours
                ? "the session belongs to another client"
                : "the client that the session was begun for does not have its rights any more"
            self.init(code, reason)
        }
    }

    private struct Entry {
        var owner: SessionOwner
        var state: State
    }

    private enum State {
        case live(Home)
        case ended(Refusal)
    }

    /// How many ended sessions are remembered, so that their clients learn what has become of them.
    private static let endedCount = 16_384

    private struct Content {
        var entries: [SessionToken: Entry] = [:]
        /// Ended sessions, the oldest at `oldest` once it is full.
        var ended: [SessionToken] = []
        var oldest = 0
    }

    /// What tells this gateway's tokens from another's.
    let gateway: String
    /// What all sessions use up.
    let load = SessionLoad()
    private let content = Mutex(Content())

    /// - Parameter name: The gateway's name among its peers; nil for one that nobody needs to know.
    init(gateway name: String? = nil) {
        var generator = SystemRandomNumberGenerator()
        gateway = name ?? String(generator.next(upperBound: UInt32.max), radix: 36)
    }

    /// A token that nobody has.
    func makeToken() -> SessionToken {
        var generator = SystemRandomNumberGenerator()
        return SessionToken(keeper: gateway, using: &generator)
    }

    /// From now on the session can be resumed.
    func add(_ token: SessionToken, _ owner: SessionOwner, _ home: Home) {
        content.withLock { $0.entries[token] = Entry(owner: owner, state: .live(home)) }
    }

    /// The session is over. Who asks for it is told why.
    func end(_ token: SessionToken, _ refusal: Refusal) {
        content.withLock { content in
            guard content.entries[token] != nil else { return }
            content.entries[token]?.state = .ended(refusal)
            if content.ended.count < Self.endedCount {
                content.ended.append(token)
            } else {
                content.entries[content.ended[content.oldest]] = nil
                content.ended[content.oldest] = token
                content.oldest = (content.oldest + 1) % Self.endedCount
            }
        }
    }

    /// Finds a session for somebody who has its token and its owner's identity. Whether he may have it is judged where it
    /// is, by the configuration that is in force there.
    func find(_ text: String, for resolution: IdentityMap.Resolution) throws(Refusal) -> Home {
        guard let token = SessionToken(text),
            let entry = content.withLock({ $0.entries[token] })
        else {
            throw Refusal(.unknownSession, "this gateway has no such session; it may have been restarted")
        }
        if entry.owner.isAnother(resolution) { throw Refusal(.notYours) }
        switch entry.state {
        case .live(let home): return home
        case .ended(let refusal): throw refusal
        }
    }
}
