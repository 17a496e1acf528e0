// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import TLSEngine

/// One session, for operators.
public struct SessionSummary: Sendable {
    /// Its number, which no other session of this process has.
    public var id: Int
    /// The field that named the client.
    public var identityField: String
    /// The field's value.
    public var identity: String
    /// The context, as logs have it.
    public var context: String
    /// The place of its entry in `clients:`.
    public var entry: Int
    /// Where the client is; nil while it is away.
    public var peer: String?
    /// The listener that it came through.
    public var listener: String
    /// The TLS version; nil without TLS.
    public var tlsVersion: String?
    /// The key exchange group.
    public var tlsGroup: String?
    /// How long it has been there, in nanoseconds.
    public var age: UInt64
    /// Bytes from the client, and to it.
    public var bytesIn: Int
    /// Bytes to the client.
    public var bytesOut: Int
    /// Calls that wait for their answer.
    public var openCalls: Int
    /// Subscriptions.
    public var openListens: Int
    /// Requests that did not pass.
    public var denied: Int
    /// Whether it speaks the persistent protocol.
    public var isPersistent: Bool
    /// Whether its client is away.
    public var isDetached: Bool
    /// How often the client came back.
    public var resumptions: Int
    /// What the audit log calls it; nil without an audit log.
    public var auditID: String?
}

/// Which sessions are asked for.
public struct SessionFilter: Sendable {
    /// How many are given at most.
    public static let most = 1000

    /// The number of one.
    public var id: Int?
    /// An identity's value, to the byte.
    public var identity: String?
    /// A context, as logs have it, to the byte.
    public var context: String?

    /// Makes a filter that lets through what has all that is given.
    public init(id: Int? = nil, identity: String? = nil, context: String? = nil) {
        self.id = id
        self.identity = identity
        self.context = context
    }

    func matches(_ bridge: Bridge) -> Bool {
        guard let session = bridge.session, bridge.phase == .open else { return false }
        if let id, id != bridge.number { return false }
        // Two spellings of a name are two identities.
        if let identity, !session.terms.resolution.value.utf8.elementsEqual(identity.utf8) { return false }
        if let context, !session.contextText.utf8.elementsEqual(context.utf8) { return false }
        return true
    }
}

extension Bridge {
    /// What operators are told of the session; nil when it is none.
    var summary: SessionSummary? {
        guard phase == .open, let session else { return nil }
        let resolution = session.terms.resolution
        let negotiated = client.negotiated
        return SessionSummary(
            id: number,
            identityField: resolution.field.rawValue,
            identity: resolution.value,
            context: session.contextText,
            entry: resolution.entry,
            peer: isDetached ? nil : peer,
            listener: listener.name,
            tlsVersion: negotiated?.version.rawValue,
            tlsGroup: negotiated?.group,
            age: reactor.now - min(reactor.now, acceptedAt),
            bytesIn: bytesIn,
            bytesOut: bytesOut,
            openCalls: session.openCallCount,
            openListens: session.openListenCount,
            denied: session.deniedCount,
            isPersistent: persistence != nil,
            isDetached: isDetached,
            resumptions: persistence?.resumptionCount ?? 0,
            auditID: audit?.id
        )
    }
}
