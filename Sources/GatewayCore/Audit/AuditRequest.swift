// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the audit log says of one call or listen.
public struct AuditRequest: Sendable, Equatable {
    /// How a request ended; the raw value is the name in the log.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// A call was answered with a result.
        case ok
        /// A call was answered with an error of its handler.
        case error
        /// The policy does not allow it.
        case denied
        /// Whoever called gave up, and the answer came no more.
        case cancelled
        /// It was not answered in time.
        case deadline = "deadline-exceeded"
        /// The queue of its server was full.
        case busy
        /// A limit of the client, the connection or the listener was reached.
        case limit = "limit-exceeded"
        /// No server is configured for its channel.
        case noRoute = "no-route"
        /// Its server could not be reached.
        case unavailable
        /// The gateway was stopping, and took no new requests.
        case draining
        /// Its server went away before the answer.
        case lost
        /// A listen was subscribed; written at its start.
        case open
        /// A listen was disposed of; written at its end.
        case ended
        /// A listen that a new configuration does not allow any more; written at its end.
        case revoked
        /// The connection ended first.
        case closed
    }

    /// What a policy beside the one in force would have decided.
    public struct Shadow: Sendable, Hashable {
        /// Whether it allows the request.
        public var isAllowed: Bool
        /// The rule that decided, its name or its place.
        public var rule: String?

        /// Makes a decision.
        public init(isAllowed: Bool, rule: String? = nil) {
            self.isAllowed = isAllowed
            self.rule = rule
        }
    }

    /// What it wants.
    public var request: AccessPolicy.Request
    /// Who asks.
    public var direction: AccessPolicy.Direction
    /// The channel's name, UTF-8.
    public var channel: [UInt8]
    /// The command's or event's name, UTF-8.
    public var name: [UInt8]
    /// The encoded argument, or its first ``AuditSettings/keptArgumentBytes``; empty when arguments are not written.
    public var argument: [UInt8]
    /// The name of the server it was for; nil when none was chosen.
    public var upstream: String?
    /// How it ended.
    public var outcome: Outcome
    /// The rule that decided, its name or its place; nil when none did.
    public var rule: String?
    /// When it came, in the reactor's time (nanoseconds).
    public var startedAt: UInt64
    /// When it ended; for ``Outcome/open`` when it was subscribed.
    public var endedAt: UInt64
    /// Bytes of the request's frame.
    public var requestBytes: Int
    /// Bytes of its answer, or of all its events.
    public var answerBytes: Int
    /// How many events of a listen have passed.
    public var events: Int
    /// How often the gateway made a call again, because its server was lost with it.
    public var repeats = 0
    /// What the shadow policy decided, when it decided differently.
    public var shadow: Shadow?

    /// Describes a request; see the properties.
    public init(
        request: AccessPolicy.Request,
        direction: AccessPolicy.Direction = .fromClient,
        channel: [UInt8],
        name: [UInt8],
        argument: [UInt8] = [],
        upstream: String? = nil,
        outcome: Outcome,
        rule: String? = nil,
        startedAt: UInt64,
        endedAt: UInt64,
        requestBytes: Int = 0,
        answerBytes: Int = 0,
        events: Int = 0,
        shadow: Shadow? = nil
    ) {
        self.request = request
        self.direction = direction
        self.channel = channel
        self.name = name
        self.argument = argument
        self.upstream = upstream
        self.outcome = outcome
        self.rule = rule
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.requestBytes = requestBytes
        self.answerBytes = answerBytes
        self.events = events
        self.shadow = shadow
    }

    /// Whether it is written whatever the sample: what the gateway itself refused or ended, and what the shadow policy
    /// would have decided differently.
    public var isAlwaysWritten: Bool {
        if shadow != nil { return true }
        return switch outcome {
        case .denied, .busy, .limit, .deadline, .noRoute, .revoked, .draining: true
        case .ok, .error, .cancelled, .unavailable, .lost, .open, .ended, .closed: false
        }
    }
}
