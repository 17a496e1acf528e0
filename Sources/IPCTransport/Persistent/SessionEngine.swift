// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

/// The event loop's side of a ``PersistentConnection``: lets a `PersistentSession` talk over one ``SessionLink`` after the
/// other.
///
/// It calls its receiver from the event loop only, and never from within a call of the connection's methods: those leave a
/// task for the loop. All that is written is made when there is room to write it.
final class SessionEngine: SessionLinkOwner {
    /// How far the session has come.
    enum Phase {
        case open
        /// It is decided that it ends; what was sent before still leaves.
        case finishing
        /// Nothing happens any more.
        case over
    }

    /// What is done with messages that nobody takes, see ``updateIntake()``.
    enum Intake {
        case taking
        /// The connection is not read: the peer waits.
        case stopped
        /// The connection is read, for its acknowledgements; messages are dropped and will come again.
        case dropping
    }

    let eventLoop: any EventLoop
    let options: TransportOptions
    let shared: SessionShared
    /// Nil once it is over: they refer to each other until then.
    var role: (any SessionRole)?
    var session: PersistentSession
    var link: SessionLink?
    var phase = Phase.open
    var receiver: (any MessageReceiver)?
    var hasStarted = false
    /// What was accepted and not delivered.
    var inbound = MessageQueue()
    var intake = Intake.taking
    /// How much is taken that nobody wants yet, where only reading on brings acknowledgements.
    private let hoardBytes: Int
    /// Why it ends.
    var end: ConnectionEnd?
    var isOurEnd = false
    var linger: Scheduled<Void>?
    /// Whether the last connection was left to end by itself, which tells when it has.
    var isLeaving = false
    /// Bytes that were handed to links.
    var handedByteCount = 0

    private var isReading = true
    private(set) var isBusy = false
    /// Whether what a connection that has ended has brought is taken, however much waits already.
    private var takesTheRest = false
    var isPumping = false
    var isPumpScheduled = false
    var timer: Scheduled<Void>?
    var timerAt = UInt64.max
    /// What the session had carried when its link came.
    private var carriedBefore: (sent: UInt32, received: UInt32) = (0, 0)

    /// - Parameters:
    ///   - settings: What the session keeps to; see ``settings(_:_:)``.
    ///   - eventLoop: Where it lives.
    ///   - options: Bounds and deadlines.
    init(settings: SessionSettings, eventLoop: any EventLoop, options: TransportOptions) {
        session = PersistentSession(settings: settings, startsOpen: false, at: Self.now)
        hoardBytes = max(settings.window.bytes, options.highWaterMark)
        self.eventLoop = eventLoop
        self.options = options
        shared = SessionShared(options: options)
    }

    /// The settings of a session of this transport.
    static func settings(_ settings: SessionSettings, _ options: TransportOptions) -> SessionSettings {
        var settings = settings
        settings.limits.frameBytes = options.maximumMessageBytes
        return settings
    }

    /// The time of sessions.
    static var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    // MARK: Links

    /// Talks over this connection from now on. The session knows of it already.
    func attach(_ link: SessionLink) {
        self.link = link
        shared.notePeer(link)
        carriedBefore = carried
        isReading = true
        link.start(self)
        process(pumpsLater: true)
        schedulePump()
    }

    /// Closes the connection, without telling the role.
    func detach() {
        session.connectionLost()
        link?.close()
        link = nil
    }

    /// Whether something new has come or been acknowledged since the connection was made.
    var hasProgressed: Bool {
        carried != carriedBefore
    }

    private var carried: (sent: UInt32, received: UInt32) {
        (session.lastSentID - UInt32(session.unacknowledgedCount), session.lastReceivedID)
    }

    /// Sends something about the session.
    func send(_ control: SessionControl) {
        // Fails only for a session that has failed.
        try? session.sendControl(control.encoded())
        schedulePump()
    }

    func linkRead(_ link: SessionLink, _ bytes: ByteBuffer) {
        guard link === self.link else { return }
        session.append(bytes.readableBytesUInt8Span, at: Self.now)
        process(pumpsLater: true)
    }

    func linkReadComplete(_ link: SessionLink) {
        // Not now: where the peer has closed, NIO goes on with the channel after this call, and does not expect that a
        // write has failed meanwhile and closed it.
        schedulePump()
    }

    func linkWritable(_ link: SessionLink) {
        guard link === self.link else { return }
        pump()
    }

    func linkEnded(_ link: SessionLink, _ end: ConnectionEnd) {
        // The peer may have said more than was wanted, and that it ends: no other connection would bring that again. It is
        // no more than the system had room for.
        if link === self.link, intake == .stopped, !isBusy {
            takesTheRest = true
            process(pumpsLater: true)
            takesTheRest = false
        }
        link.close()
        guard link === self.link else { return }
        self.link = nil
        session.connectionLost()
        switch phase {
        case .open: role?.lost(end)
        case .finishing: finished()
        case .over: break
        }
    }

    // MARK: Receiving

    /// Hands on what has come.
    func process(pumpsLater: Bool = false) {
        guard !isBusy else { return }
        isBusy = true
        do throws(SessionFailure) {
            while phase != .over, link != nil {
                if !takesTheRest {
                    updateIntake()
                    if isStopped { break }
                }
                guard let event = try session.nextEvent(at: Self.now) else { break }
                switch event {
                case .message(let message): take(message)
                case .control(let json): received(try SessionControl(json))
                case .disconnected: finish(.closed)
                }
            }
        } catch {
            fail(error)
        }
        isBusy = false
        if pumpsLater { armTimer() } else { pump() }
    }

    private func received(_ control: SessionControl) {
        guard phase == .open else { return }
        role?.received(control)
    }

    private func take(_ message: [UInt8]) {
        guard phase == .open else { return }
        if hasStarted, shared.isDelivering, inbound.isEmpty, let receiver {
            receiver.receive(message)
        } else {
            inbound.append(message)
        }
    }

    /// Delivery begins.
    func start(delivering receiver: any MessageReceiver) {
        guard !hasStarted else { return }
        hasStarted = true
        self.receiver = receiver
        deliver()
    }

    /// Delivers what waits, as long as that is wanted.
    func deliver() {
        guard hasStarted, !isBusy else { return }
        isBusy = true
        while shared.isDelivering, !isOurEnd, let receiver, let message = inbound.take() {
            receiver.receive(message)
        }
        isBusy = false
        tell()
        process()
    }

    /// Decides what becomes of messages that nobody takes.
    ///
    /// As long as this side has room to send, the connection is not read, and the peer waits. When the window is full, that
    /// would be for ever: whoever is to take the messages may wait for room himself, which comes with acknowledgements, and
    /// these come behind the messages. Then it is read on, and as much is kept as this side may have sent itself. What comes
    /// beyond that is dropped, to be asked for later, which is slow: replays are made seldom.
    private func updateIntake() {
        let bytes = inbound.byteCount
        let before = intake
        if bytes > (session.canSend ? options.highWaterMark : hoardBytes) {
            if before != .dropping { intake = session.canSend ? .stopped : .dropping }
        } else if bytes <= options.highWaterMark / 2 || (before == .stopped && !session.canSend) {
            intake = .taking
        }
        if (intake == .dropping) != (before == .dropping) {
            session.takeMessages(intake != .dropping, at: Self.now)
        }
        guard isReading == isStopped else { return }
        isReading = !isStopped
        session.readConnection(isReading, at: Self.now)
        link?.setReading(isReading)
    }

    /// Whether nothing is read. What the two ends say to each other about going on is read always.
    private var isStopped: Bool { intake == .stopped && session.link == .open && phase == .open }
}

@available(*, unavailable)
extension SessionEngine: Sendable {}
