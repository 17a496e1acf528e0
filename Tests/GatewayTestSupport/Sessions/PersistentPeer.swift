// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPC
public import IPCProtocol
public import TLSEngine

/// A client of persistent sessions that a test drives step by step, and that can misbehave.
///
/// Nothing happens by itself: keep-alives, acknowledgements and everything else go out while it waits for something, in
/// ``poll(milliseconds:)``, ``receive(milliseconds:)`` and the like, by the real clock. It never connects by itself.
///
/// Not for several threads.
public final class PersistentPeer {
    /// What a gateway says to `connect`.
    public enum Reply: Sendable, Equatable {
        /// The session is there, or goes on.
        case ok(token: String, graceTime: Int)
        /// It is refused.
        case refused(SessionCode, reason: String)
        /// The connection ended without a word.
        case ended(TestClient.Ending)
        /// Nothing came in time; the connection is still there.
        case nothing
    }

    /// How a connection is given up.
    public enum Cut: Sendable, CaseIterable {
        /// The end of file, without close_notify.
        case finish
        /// A reset.
        case reset
        /// Not at all: the other side learns nothing, its bytes are not read, and nothing answers.
        case silence
    }

    /// How it acknowledges what it receives.
    public enum Acknowledging: Sendable {
        /// As VS Code does: by time alone.
        case byTime
        /// At a quarter of the default window too.
        case early
        /// Never: no Ack frames, and 0 in all others.
        case never
    }

    /// The application protocol (ALPN) of persistent sessions.
    public static let applicationProtocol = "vscode-ipc-persistent"

    /// Where it connects to; a test may change it between connections.
    public var host = "127.0.0.1"
    /// The port to connect to; a test may change it between connections.
    public var port: UInt16
    /// What it connects with; a test may change it between connections. Nil is plain TCP.
    public var tls: TLSContext?
    let acknowledging: Acknowledging
    let settings: SessionSettings

    /// The session's state, which outlives connections.
    public internal(set) var session: PersistentSession
    /// The token of the session; nil before `ok`.
    public internal(set) var token: String?
    /// The reasons of all `goAway` that came.
    public internal(set) var goAways: [String] = []
    /// The last `error` that came.
    public internal(set) var refusal: (code: SessionCode, reason: String)?
    /// How the last connection ended; nil while one is there.
    public internal(set) var ending: TestClient.Ending?
    /// Whether the gateway has sent Disconnect.
    public internal(set) var isDisconnectedByPeer = false
    /// How often nothing came for so long that the gateway seemed dead. Nothing is done about it.
    public internal(set) var timeOutCount = 0
    /// All messages that were received.
    public internal(set) var receivedCount = 0
    /// What is answered by ``call(_:_:_:)`` and ``listen(_:_:_:)``.
    var requester = ChannelRequester()
    var answers: [UInt64: Result<IPCValue, RemoteError>] = [:]
    var events: [UInt64: [IPCValue]] = [:]

    var stream: BlockingStream?
    /// Connections that were given up without a word, or kept beside a new one.
    var keptStreams: [BlockingStream] = []
    /// Connections whose end was said, until the other side has had the time to see it.
    var endedStreams: [BlockingStream] = []
    var reply: Reply?
    private var inbox: [[UInt8]] = []
    private var inboxHead = 0
    /// Whether bytes are read from the connection; a peer that does not read still writes.
    public var isReading = true {
        didSet { session.readConnection(isReading, at: Self.now) }
    }

    /// Makes a peer that is not connected.
    ///
    /// - Parameters:
    ///   - port: Where to connect to, on the loopback interface.
    ///   - tls: With what; application protocols that are not given become `vscode-ipc-persistent`. Nil is plain TCP.
    ///   - acknowledging: When it acknowledges what it receives.
    ///   - settings: What its session keeps to otherwise.
    public init(
        port: UInt16,
        tls: TLSConfiguration?,
        acknowledging: Acknowledging = .early,
        settings: SessionSettings = SessionSettings()
    ) throws {
        var settings = settings
        settings.acknowledgesEarlyAt = acknowledging == .early ? settings.window.quarter : nil
        self.port = port
        self.tls = try tls.map(Self.context)
        self.acknowledging = acknowledging
        self.settings = settings
        session = PersistentSession(settings: settings, startsOpen: false, at: Self.now)
        session.connectionLost()
    }

    /// Makes another one with the same session, in the same state, that is not connected: what a thief of everything, or a
    /// copied machine, would be.
    public func twin() throws -> PersistentPeer {
        let twin = try PersistentPeer(port: port, tls: nil, acknowledging: acknowledging, settings: settings)
        twin.host = host
        twin.tls = tls
        twin.token = token
        twin.session = session
        twin.session.connectionLost()
        twin.requester = requester
        return twin
    }

    /// A TLS context for persistent sessions.
    public static func context(_ configuration: TLSConfiguration) throws -> TLSContext {
        var configuration = configuration
        if configuration.applicationProtocols.isEmpty {
            configuration.applicationProtocols = [applicationProtocol]
        }
        return try TLSContext(configuration)
    }

    /// Nanoseconds of the monotonic clock.
    public static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Whether there is a connection.
    public var isConnected: Bool { stream != nil }

    /// What was negotiated on the connection.
    public var negotiated: NegotiatedTLS? { stream?.negotiated }

    // MARK: Messages

    /// Sends a message, or keeps it until there is a connection.
    ///
    /// - Throws: `SessionFailure`, also for a full window: heed ``canSend``.
    public func send(_ message: [UInt8]) throws {
        try session.send(message, at: Self.now)
        try write()
    }

    /// Whether the window has room for another message.
    public var canSend: Bool { session.canSend }

    /// Announces a context and says that requests may come, as VS Code does.
    public func announce(_ context: IPCValue = "test") throws {
        try send(IPCMessage.context(context))
        try send(IPCMessage.initialize)
    }

    /// Waits for the next message.
    ///
    /// - Returns: Nil when none came in time, or the connection ended: then ``ending`` says how.
    /// - Throws: `SessionFailure` when the session cannot go on.
    public func receive(milliseconds: Int32 = patient(10_000)) throws -> [UInt8]? {
        try poll(milliseconds: milliseconds) { self.inboxHead < self.inbox.count }
        return takeMessage()
    }

    /// The next message that has come, without waiting.
    public func takeMessage() -> [UInt8]? {
        guard inboxHead < inbox.count else { return nil }
        defer {
            inboxHead += 1
            if inboxHead == inbox.count {
                inbox.removeAll(keepingCapacity: inboxHead < 1_000)
                inboxHead = 0
            }
        }
        return inbox[inboxHead]
    }

    func keep(_ message: [UInt8]) {
        receivedCount += 1
        inbox.append(message)
    }
}
