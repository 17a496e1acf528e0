// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// One client's conversation with one local server, as a state machine: bytes in, decisions out.
///
/// The first frame announces the context. After it the gateway answers `Initialize` itself, and every later frame is
/// validated completely and judged before any byte of it may reach the other side. A frame that passes is forwarded
/// exactly as it was judged. Requests of either side need a rule; those of the server a rule with `from: server`.
public struct GatewaySession: Sendable {
    /// The ALPN name of the plain protocol.
    public static let applicationProtocol = "vscode-ipc"

    /// What to do with the first frame of the bytes that were given.
    public enum ClientAction: Sendable, Equatable {
        /// The frame is not complete; wait for more bytes.
        case wait
        /// Pass the frame to the local server, unchanged.
        case forward
        /// The frame ends here.
        case swallow
        /// The context is accepted: send `initialize` to the client; a dialled server gets `upstreamOpening` first.
        case accept
        /// The request is denied: send these bytes to the client, if there are any.
        case deny(answer: [UInt8], denial: Denial)
        /// Close the connection.
        case close(CloseReason)
    }

    /// What to do with the first frame from the local server.
    public enum ServerAction: Sendable, Equatable {
        /// The frame is not complete; wait for more bytes.
        case wait
        /// Pass the frame to the client, unchanged.
        case forward
        /// The frame ends here: the server is ready, which the client has been told already.
        case swallow
        /// The request is denied: send these bytes to the server, if there are any.
        case deny(answer: [UInt8], denial: Denial)
        /// Close the connection.
        case close(CloseReason)
    }

    /// A frame's bytes, header included, and what to do with them.
    public struct Step<Action: Sendable & Equatable>: Sendable, Equatable {
        /// How many bytes the frame has; while they are incomplete, how many it will have (or a header, at least).
        public var byteCount: Int
        /// What to do.
        public var action: Action
    }

    /// A request that was not allowed.
    public struct Denial: Sendable, Equatable, CustomStringConvertible {
        /// What it wanted.
        public var request: AccessPolicy.Request
        /// The channel, shortened and escaped for logs.
        public var channel: String
        /// The command or event, shortened and escaped for logs.
        public var name: String
        /// The rule that denied it; nil when no rule allows it.
        public var rule: AccessPolicy.RuleReference?

        /// `call of 'channel.command'`.
        public var description: String {
            "\(request == .call ? "call of" : "listen to") '\(channel).\(name)'"
        }
    }

    /// The frame `[200]`, which tells a peer that requests may be sent.
    public static let initialize: [UInt8] = Frame.regular(IPCMessage.initialize).encoded()

    /// Which entry the client belongs to, and why.
    public let resolution: IdentityMap.Resolution
    /// The local server.
    public let upstream: GatewayConfiguration.Upstream
    /// The authenticated context; nil until the client's first frame has been accepted.
    public private(set) var context: IPCValue?
    /// Requests denied so far.
    public private(set) var deniedCount = 0
    /// Frames passed from client to server.
    public private(set) var framesFromClient = 0
    /// Frames passed from server to client.
    public private(set) var framesFromServer = 0
    /// Whether the server has said `Initialize`.
    public private(set) var serverIsReady = false

    let policy: AccessPolicy
    let limits: GatewayLimits

    /// Makes the session of a client that has been recognised.
    public init(
        resolution: IdentityMap.Resolution,
        policy: AccessPolicy,
        upstream: GatewayConfiguration.Upstream,
        limits: GatewayLimits
    ) {
        self.resolution = resolution
        self.policy = policy
        self.upstream = upstream
        self.limits = limits
    }

    /// The bytes a newly dialled server gets first: the authenticated context and `Initialize`.
    ///
    /// They are meant for one write, as VS Code's own clients do it.
    public var upstreamOpening: [UInt8] {
        let context = IPCMessage.context(context ?? "")
        return Frame.regular(context).encoded() + Self.initialize
    }

    // MARK: From the client

    /// Judges the first frame of `bytes`.
    public mutating func receivedFromClient(_ bytes: Span<UInt8>) -> Step<ClientAction> {
        guard let header = FrameHeader(bytes) else {
            return Step(byteCount: FrameHeader.byteCount, action: .wait)
        }
        let byteCount = FrameHeader.byteCount + header.bodyLength
        do throws(WireError) {
            try header.validatePlain(limits: frameLimits)
            guard bytes.count >= byteCount else { return Step(byteCount: byteCount, action: .wait) }
            let message = bytes.extracting(FrameHeader.byteCount..<byteCount)
            let action = try context == nil ? receivedContext(message) : receivedMessage(message)
            if action == .forward { framesFromClient += 1 }
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

    private var frameLimits: IPCLimits {
        var wire = limits.wire
        if context == nil { wire.frameBytes = min(limits.contextBytes, wire.frameBytes) }
        return wire
    }

    private mutating func receivedContext(_ message: Span<UInt8>) throws(WireError) -> ClientAction {
        try ValueWalker.validate(message, limits: limits.wire)
        do throws(CloseReason) {
            context = try resolution.grant.context(announced: message, limits: limits.wire)
            return .accept
        } catch {
            return .close(error)
        }
    }

    private mutating func receivedMessage(_ message: Span<UInt8>) throws(WireError) -> ClientAction {
        let inspected = try InspectedMessage(message, limits: limits.wire)
        switch inspected.kind {
        case .call(let id, let channel, let command):
            let decision = judge(.call, .fromClient, message, channel, command, bodyOffset: inspected.bodyOffset)
            if decision.isAllowed { return .forward }
            let denial = denied(.call, message, channel, command, decision)
            return .deny(answer: Self.refusal(id, denial), denial: denial)
        case .listen(_, let channel, let event):
            let decision = judge(.listen, .fromClient, message, channel, event, bodyOffset: inspected.bodyOffset)
            if decision.isAllowed { return .forward }
            // The protocol has no error for a subscription: it is dropped, and counted.
            return .deny(answer: [], denial: denied(.listen, message, channel, event, decision))
        case .initialize:
            return .swallow
        case .cancel, .unlisten, .success, .failure, .failureValue, .event:
            return .forward
        }
    }

    private mutating func denied(
        _ request: AccessPolicy.Request,
        _ message: Span<UInt8>,
        _ channel: Range<Int>,
        _ name: Range<Int>,
        _ decision: AccessPolicy.Decision
    ) -> Denial {
        deniedCount += 1
        return Denial(
            request: request,
            channel: Self.text(message, channel),
            name: Self.text(message, name),
            rule: decision.rule
        )
    }

    private static func text(_ message: Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        for index in range.prefix(400) { bytes.append(message[index]) }
        return LogText.quoted(String(decoding: bytes, as: UTF8.self))
    }

    private static func refusal(_ id: UInt64, _ denial: Denial) -> [UInt8] {
        let message = "This client is not allowed the \(denial)."
        return Frame.regular(IPCMessage.failure(id: id, name: "AccessDenied", message: message, stack: nil)).encoded()
    }

    // MARK: From the server

    /// Judges the first frame of `bytes`, which came from the local server.
    public mutating func receivedFromServer(_ bytes: Span<UInt8>) -> Step<ServerAction> {
        guard let header = FrameHeader(bytes) else {
            return Step(byteCount: FrameHeader.byteCount, action: .wait)
        }
        let byteCount = FrameHeader.byteCount + header.bodyLength
        do throws(WireError) {
            try header.validatePlain(limits: limits.wire)
            guard bytes.count >= byteCount else { return Step(byteCount: byteCount, action: .wait) }
            let message = bytes.extracting(FrameHeader.byteCount..<byteCount)
            let action = try receivedServerMessage(message)
            if action == .forward { framesFromServer += 1 }
            return Step(byteCount: byteCount, action: action)
        } catch {
            let message =
                "the local server '\(upstream.name)' sent a malformed frame (\(error.code.rawValue)): \(error)"
            return Step(byteCount: byteCount, action: .close(CloseReason(.upstreamMalformed, message)))
        }
    }

    private mutating func receivedServerMessage(_ message: Span<UInt8>) throws(WireError) -> ServerAction {
        let inspected = try InspectedMessage(message, limits: limits.wire)
        switch inspected.kind {
        case .initialize:
            serverIsReady = true
            return .swallow
        case .call(let id, let channel, let command):
            let decision = judge(.call, .fromServer, message, channel, command, bodyOffset: inspected.bodyOffset)
            if decision.isAllowed { return .forward }
            let denial = denied(.call, message, channel, command, decision)
            let text = "No rule with 'from: server' allows the \(denial) at this client."
            let answer = IPCMessage.failure(id: id, name: "AccessDenied", message: text, stack: nil)
            return .deny(answer: Frame.regular(answer).encoded(), denial: denial)
        case .listen(_, let channel, let event):
            let decision = judge(.listen, .fromServer, message, channel, event, bodyOffset: inspected.bodyOffset)
            if decision.isAllowed { return .forward }
            return .deny(answer: [], denial: denied(.listen, message, channel, event, decision))
        case .cancel, .unlisten, .success, .failure, .failureValue, .event:
            return .forward
        }
    }
}
