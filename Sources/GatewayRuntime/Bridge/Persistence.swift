// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol

/// What a bridge has more when its client speaks the persistent protocol: the session goes on when the connection is lost.
final class Persistence {
    /// How much the gateway's own answers may take beyond the window before no more is taken from the client.
    private static let answers = SessionWindow(messages: 512, bytes: 512 << 10)
    /// What one such answer may take, the header included.
    private static let answerBytes = 512
    /// The smallest frame that is passed: an event without a payload.
    private static let leastBytes = 20
    /// What a kept message takes beside its frame.
    private static let entryBytes = 64

    let settings: SessionSettings
    /// Sequence numbers, and what is not acknowledged.
    var session: PersistentSession
    /// What the client needs to come back.
    let token: SessionToken
    /// How long it may stay away, in nanoseconds.
    let graceTime: UInt64

    /// Whether the client has been told that the session is there.
    var isOpen = false
    /// The token with which the client asks for another session; the connection is given to that one.
    var wantedToken: String?
    /// Whether the session can be found by its token.
    var isListed = false
    /// Whether the client is away.
    var isDetached = false
    /// Who it is, while it is away.
    var absentee: ClientProof?
    /// Bytes that have been counted as held for a client that is away.
    var countedBytes = 0
    /// The server has finished; the session ends when the client has everything.
    var isEnding = false
    /// The client has been asked to go elsewhere.
    var isGoingAway = false
    /// The last message that the client has to acknowledge before it is let go; nil while there may be more.
    var lastOwed: UInt32?
    /// How many times the client has come back.
    var resumptionCount = 0

    init(
        token: SessionToken,
        graceTime: UInt64,
        limits: SessionLimits,
        client: ClientLimits,
        upstreamCount: Int,
        wire: IPCLimits,
        at now: UInt64
    ) {
        // When a server is lost, all that was asked of it is answered at once, and all that it asked is called off. And
        // what was read from servers when there was room still comes.
        let open = 2 * client.callsOutstanding + 2 * client.listens
        let read = Scratch.readByteCount * 2 * upstreamCount
        let reserve = SessionWindow(
            messages: 2 * Self.answers.messages + open + read / Self.leastBytes,
            bytes: 2 * Self.answers.bytes + open * Self.answerBytes + read
        )
        settings = SessionSettings(
            limits: wire,
            window: limits.window,
            reserve: reserve,
            acknowledgesEarlyAt: limits.window.early
        )
        session = PersistentSession(settings: settings, startsOpen: false, at: now)
        self.token = token
        self.graceTime = graceTime
    }

    /// Whether the client has everything that it is let go with. What it asked for later, and was refused, is not waited for,
    /// or a client that goes on asking would stay.
    var hasWhatIsOwed: Bool {
        session.lastSentID - UInt32(session.unacknowledgedCount) >= lastOwed ?? session.lastSentID
    }

    /// What is kept until it is acknowledged, as it counts against the bounds on all sessions.
    var heldByteCount: Int {
        session.unacknowledgedByteCount + session.unacknowledgedCount * Self.entryBytes
    }

    /// Whether what the client is owed, which the gateway cannot hold back, leaves room for more requests of it.
    var hasRoomForAnswers: Bool {
        session.unacknowledgedCount <= settings.window.messages + Self.answers.messages
            && session.unacknowledgedByteCount <= settings.window.bytes + Self.answers.bytes
    }

    /// What tells the client that it has the session.
    var welcome: [UInt8] {
        SessionControl.ok(token: token.description, graceTime: Int(graceTime / 1_000_000_000)).encoded()
    }
}
