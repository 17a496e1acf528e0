// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// One client's conversation with its local servers, as a state machine: bytes in, decisions out.
///
/// The first frame announces the context. After it the gateway answers `Initialize` itself, and every later frame is
/// validated completely and judged before any byte of it may reach the other side. A frame that passes is forwarded
/// exactly as it was judged; only the ids of servers' requests change, where several servers share a client, and stack
/// traces are taken out of errors. Requests of either side need a rule; those of a server a rule with `from: server`.
/// Answers, cancellations and events pass only for requests that are open.
///
/// Times are nanoseconds of any steady clock.
public struct GatewaySession: Sendable {
    /// The ALPN name of the plain protocol.
    public static let applicationProtocol = "vscode-ipc"

    /// What to do with the first frame of the bytes that were given. What is rare is kept elsewhere, so that a decision is
    /// small: there are two for each call.
    public enum ClientAction: Sendable, Equatable {
        /// The frame is not complete; wait for more bytes.
        case wait
        /// Pass the frame to a server, unchanged. It is dialled if it has not been.
        case forward(to: Int)
        /// Pass these bytes to a server instead.
        case replace([UInt8], to: Int)
        /// The frame ends here.
        case swallow
        /// The context is accepted: send `initialize` to the client; a dialled server gets `openUpstream` first.
        case accept
        /// The request does not pass: send these bytes to the client, if there are any.
        indirect case deny(answer: [UInt8], denial: Denial)
        /// Close the connection.
        indirect case close(CloseReason)
    }

    /// What to do with the first frame from a local server.
    public enum ServerAction: Sendable, Equatable {
        /// The frame is not complete; wait for more bytes.
        case wait
        /// Pass the frame to the client, unchanged.
        case forward
        /// Pass these bytes to the client instead.
        case replace([UInt8])
        /// The frame ends here.
        case swallow
        /// The request does not pass: send these bytes to the server, if there are any.
        indirect case deny(answer: [UInt8], denial: Denial)
        /// The server does not keep to the protocol: part with it.
        indirect case close(CloseReason)
    }

    /// Something to do that no frame asked for.
    public enum Task: Sendable, Equatable {
        /// Send frames to the client.
        case tellClient([UInt8])
        /// Send frames to a server that has been dialled.
        case tellServer(Int, [UInt8])
        /// Dial a server.
        case dial(Int)
    }

    /// A frame's bytes, header included, and what to do with them.
    public struct Step<Action: Sendable & Equatable>: Sendable, Equatable {
        /// How many bytes the frame has; while they are incomplete, how many it will have (or a header, at least).
        public var byteCount: Int
        /// What to do.
        public var action: Action

        /// Makes a step.
        public init(byteCount: Int, action: Action) {
            self.byteCount = byteCount
            self.action = action
        }
    }

    /// The frame `[200]`, which tells a peer that requests may be sent.
    public static let initialize: [UInt8] = Frame.regular(IPCMessage.initialize).encoded()

    /// What the session goes by.
    public internal(set) var terms: SessionTerms
    /// The authenticated context; nil until the client's first frame has been accepted.
    public internal(set) var context: IPCValue?
    /// Requests that did not pass.
    public internal(set) var deniedCount = 0
    /// Requests of both sides, whatever became of them.
    public internal(set) var requestCount = 0
    /// Answers, events and cancellations that were dropped because nothing open was meant.
    public internal(set) var strayCount = 0
    /// Requests that the shadow policy judged otherwise.
    public internal(set) var shadowCount = 0
    /// Frames passed from client to servers.
    public internal(set) var framesFromClient = 0
    /// Frames passed from servers to client.
    public internal(set) var framesFromServer = 0

    /// Whether requests of servers get other ids at the client, because ids of several servers would meet there.
    let renumbers: Bool
    var upstreams: [UpstreamState]
    /// What the client has asked.
    var clientRequests = OpenRequests()
    /// What servers have asked, by the ids that the client knows.
    var serverRequests = OpenRequests()
    var nextServerRequest: UInt64 = 0
    /// The frames of subscriptions that are made again when their server is back.
    var keptListens: [UInt64: [UInt8]] = [:]
    var keptByteCount = 0
    /// The frames of calls that are made again when their server was lost with them.
    var repeatable = RepeatableCalls()
    /// Whether the client asks nothing more.
    var clientHasEnded = false
    /// Whether the session comes to its end because the gateway stops.
    var draining = DrainState.serving
    /// What the client is told with the next tasks.
    var dueAnswers: [UInt8] = []
    var deadlines = DeadlineQueue()
    var delayed = DelayedAnswers()
    var callRate: TokenBucket?
    /// What the shadow policy says of the client, once its context is known.
    var shadow: AccessPolicy?
    var recording: RequestRecording?
    var recorded: [AuditRequest] = []
    /// Counts what becomes of requests, by the meter's numbers of the session's servers; nil where nobody wants to know.
    var meter: RequestMeter?
    var meterUpstreams: [Int32] = []
    /// Bytes of arguments that are kept for records of open requests.
    var openArgumentBytes = 0

    /// Makes the session of a client that has been recognised.
    public init(_ terms: SessionTerms) {
        self.terms = terms
        renumbers = terms.upstreams.count > 1 || terms.upstreams.contains { $0.whenLost == .redial }
        upstreams = terms.upstreams.map { _ in UpstreamState() }
        callRate = terms.clientLimits.callsPerSecond.map(TokenBucket.init(perSecond:))
        recording = terms.recording
    }

    var limits: GatewayLimits { terms.limits }

    /// Whether calls of either side wait for their answer.
    public var hasOpenCalls: Bool { clientRequests.callCount > 0 || serverRequests.callCount > 0 }

    /// The authenticated context for logs: a string as it is, an object as JSON; empty until it has been accepted.
    public var contextText: String {
        switch context {
        case nil: ""
        case .string(let text)?: text.description
        case let value?: String(decoding: JSONText.write(value) ?? [], as: UTF8.self)
        }
    }

    /// Shares limits with the other connections of the identity from now on.
    public mutating func share(_ load: IdentityLoad) {
        terms.identityLoad = load
    }

    // MARK: Frames

    /// Judges the first frame of `bytes`, which came from the client.
    public mutating func receivedFromClient(_ bytes: Span<UInt8>, at now: UInt64) -> Step<ClientAction> {
        guard let header = FrameHeader(bytes) else {
            return Step(byteCount: FrameHeader.byteCount, action: .wait)
        }
        let byteCount = FrameHeader.byteCount + header.bodyLength
        do throws(WireError) {
            try header.validatePlain(limits: frameLimits)
            guard bytes.count >= byteCount else { return Step(byteCount: byteCount, action: .wait) }
            let message = bytes.extracting(FrameHeader.byteCount..<byteCount)
            let action = try context == nil ? receivedContext(message) : receivedMessage(message, at: now)
            switch action {
            case .forward, .replace: framesFromClient += 1
            default: break
            }
            return Step(byteCount: byteCount, action: action)
        } catch {
            let position = context == nil ? "context frame" : "frame"
            let reason = CloseReason(
                CloseReason.Code(rawValue: error.code.rawValue),
                "the client sent a malformed \(position): \(error)"
            )
            return Step(byteCount: byteCount, action: .close(reason))
        }
    }

    /// The bounds on the client's next frame; before its context has come they are narrower.
    public var frameLimits: IPCLimits {
        var wire = limits.wire
        if context == nil { wire.frameBytes = min(limits.contextBytes, wire.frameBytes) }
        return wire
    }

    private mutating func receivedContext(_ message: Span<UInt8>) throws(WireError) -> ClientAction {
        try ValueWalker.validate(message, limits: limits.wire)
        do throws(CloseReason) {
            let context = try terms.resolution.grant.context(announced: message, limits: limits.wire)
            self.context = context
            setShadow(announced: message, context)
            return .accept
        } catch {
            return .close(error)
        }
    }

    /// Finds what the shadow policy says of the client.
    mutating func setShadow(announced: Span<UInt8>, _ context: IPCValue) {
        shadow = terms.shadow.map { shadow in
            shadow.policy.policy(for: shadow.identity, announced: announced, context: context, limits: limits.wire)
        }
    }

    /// Judges the first frame of `bytes`, which came from a local server.
    ///
    /// - Parameter upstream: Its place in ``SessionTerms/upstreams``.
    public mutating func receivedFromServer(
        _ bytes: Span<UInt8>,
        _ upstream: Int = 0,
        at now: UInt64
    ) -> Step<ServerAction> {
        guard let header = FrameHeader(bytes) else {
            return Step(byteCount: FrameHeader.byteCount, action: .wait)
        }
        let byteCount = FrameHeader.byteCount + header.bodyLength
        do throws(WireError) {
            try header.validatePlain(limits: limits.wire)
            guard bytes.count >= byteCount else { return Step(byteCount: byteCount, action: .wait) }
            let message = bytes.extracting(FrameHeader.byteCount..<byteCount)
            let action = try receivedMessage(message, from: upstream, at: now)
            switch action {
            case .forward, .replace: framesFromServer += 1
            default: break
            }
            return Step(byteCount: byteCount, action: action)
        } catch {
            let what = "sent a malformed frame (\(error.code.rawValue)): \(error)"
            return Step(byteCount: byteCount, action: .close(malformed(upstream, what)))
        }
    }

    func malformed(_ upstream: Int, _ what: String) -> CloseReason {
        CloseReason(.upstreamMalformed, "the local server '\(terms.upstreams[upstream].name)' \(what)")
    }

    /// The message as a frame with another id.
    func renumbered(_ inspected: InspectedMessage, _ message: Span<UInt8>, to id: UInt64) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(message.count + 8)
        inspected.append(message, renumberedTo: id, to: &body)
        return Frame.regular(body).encoded()
    }
}
