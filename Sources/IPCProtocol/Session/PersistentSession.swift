// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// One end of a session that outlives its connections, byte for byte as VS Code's `PersistentProtocol` speaks: messages
/// with sequence numbers, acknowledgements, replay, keep-alives, pause, an end that is said.
///
/// Both ends are alike; who dials again and who listens is for others to know. It has no socket and no clock: it is told what
/// came and what time it is, and is asked what to write and what to hand on. All times are nanoseconds of one clock that
/// does not go back.
///
/// - **In**: ``append(_:at:)`` and ``nextEvent(at:)``, or ``receive(_:at:)`` for who cuts frames himself. A message is
///   accepted, and so acknowledged sooner or later, when it is handed out, not before.
/// - **Out**: ``send(_:at:)`` keeps a message until it is acknowledged; ``nextFrame(at:)`` yields frames while there is room
///   to write them. Nothing is kept twice, so an unread replay costs no memory.
/// - **Time**: ``advance(to:)`` not later than ``nextDeadline``, which changes with every call.
/// - **Connections**: ``connectionLost()``, ``beginReconnection(unread:at:)``, ``endReconnection(at:)``.
///
/// Memory is bounded by the window, its reserve and one frame in each direction; see ``canSend``. Whatever order
/// connections are lost and made in, each message arrives once and in order, as long as both ends keep their state. When
/// that cannot be kept the session fails, with a ``SessionFailure``, and stays failed.
public struct PersistentSession: Sendable {
    /// What there is to carry frames.
    public enum Link: Sendable, Hashable {
        /// A first connection on which the two ends still agree to have a session; messages wait until ``open(at:)``.
        case opening
        /// A connection on which everything flows.
        case open
        /// A new connection on which the two ends agree to go on; messages wait until ``endReconnection(at:)``.
        case resuming
        /// None. No time runs, and messages wait.
        case detached
    }

    /// The protocol's name in TLS's negotiation of application protocols (ALPN), where sessions are agreed upon with
    /// ``SessionControl`` messages.
    public static let applicationProtocol = "vscode-ipc-persistent"

    let settings: SessionSettings
    var decoder: FrameDecoder
    var window: OutgoingWindow
    var incoming: IncomingSequence
    var controls = ControlQueue()
    var acknowledgement: AcknowledgementTimer
    var earlyAcknowledgement: EarlyAcknowledgement
    var keepAlive: KeepAliveTimer
    var liveness: Liveness
    var replayRequests: SpacedAction
    var replays: SpacedAction
    var isAckPending = false
    var isKeepAlivePending = false
    var takesMessages = true

    /// What there is to carry frames.
    public internal(set) var link: Link
    /// Why the session cannot go on; nil while it can.
    public internal(set) var failure: SessionFailure?
    /// Whether the peer asked this side to stop writing.
    public internal(set) var isPaused = false
    /// Whether the peer has said that the session is over.
    public internal(set) var isDisconnectedByPeer = false
    /// Whether ``sendDisconnect()`` was called.
    public internal(set) var hasSentDisconnect = false

    /// Starts a session on its first connection.
    ///
    /// - Parameters:
    ///   - settings: What it keeps to.
    ///   - startsOpen: Whether messages flow at once, as in VS Code, or only after ``open(at:)``.
    ///   - now: The time.
    public init(settings: SessionSettings = SessionSettings(), startsOpen: Bool = true, at now: UInt64) {
        self.settings = settings
        link = startsOpen ? .open : .opening
        decoder = FrameDecoder(limits: settings.limits, dialect: .persistent(settings))
        window = OutgoingWindow(settings: settings)
        incoming = IncomingSequence(isStrict: settings.mode == .strict)
        acknowledgement = AcknowledgementTimer(settings: settings)
        earlyAcknowledgement = EarlyAcknowledgement(settings: settings)
        keepAlive = KeepAliveTimer(settings: settings, at: now)
        liveness = Liveness(settings: settings, at: now)
        replayRequests = SpacedAction(spacing: settings.replayRequestSpacing)
        replays = SpacedAction(spacing: settings.replaySpacing)
    }

    /// The messages that were sent and are not acknowledged.
    public var unacknowledgedCount: Int { window.count }

    /// Whether nothing was received, and nothing that was sent was acknowledged.
    public var isUnheard: Bool { lastReceivedID == 0 && unacknowledgedCount == Int(lastSentID) }

    /// The size of their frames, which are kept.
    public var unacknowledgedByteCount: Int { window.byteCount }

    /// The last sequence number given to a message.
    public var lastSentID: UInt32 { window.lastID }

    /// The last sequence number accepted from the peer.
    public var lastReceivedID: UInt32 { incoming.lastID }

    /// The bytes that came and are not a whole frame yet, or were not asked for.
    public var bufferedByteCount: Int { decoder.bufferedByteCount }

    /// Whether the session is over for a reason that was said: nothing is read then. VS Code reads on, so a lenient session
    /// does.
    var isOver: Bool { isDisconnectedByPeer && settings.mode == .strict }

    /// Whether the session goes on.
    var isAlive: Bool { failure == nil && !isOver && !hasSentDisconnect }

    /// Ends the session and lets go of what it holds. What is said about it may still be sent.
    mutating func fail(_ failure: SessionFailure) -> SessionFailure {
        self.failure = failure
        window.removeAll()
        _ = decoder.takeBuffered()
        return failure
    }
}
