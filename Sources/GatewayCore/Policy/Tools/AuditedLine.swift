// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// One line of the audit log, as far as rules can be learned from it.
struct AuditedLine {
    /// Why a line is no line of an audit log.
    struct Failure: Error {
        var description: String
    }

    /// What a line is about.
    enum Event {
        /// A context was accepted; whether the gateway made it.
        case open(isAssigned: Bool)
        /// A call or listen.
        case request(AuditedRequest)
        /// A connection ended after so many requests, if that is known.
        case close(requests: Int?)
        /// So many lines are missing, if that is known.
        case dropped(Int?)
        /// Something that has nothing to do with rules.
        case other
    }

    /// Whose line it is.
    var client: AuditedClient?
    /// The number of the connection.
    var connection: String
    /// What it is about.
    var event: Event
    /// Whether a text was cut.
    var isTruncated: Bool

    /// The version of the schema that is read.
    private static let version = 1.0

    /// Reads a line.
    init(_ text: [UInt8]) throws(Failure) {
        guard let value = try? JSONText.parse(text.span, in: 0..<text.count), let members = value.object else {
            throw Failure(description: "is not JSON, or not an object")
        }
        guard let version = members["v"]?.double, let type = members["type"]?.string else {
            throw Failure(description: "is not a line of an audit log: there is no 'v' or no 'type'")
        }
        guard version == Self.version else {
            throw Failure(
                description: "has version \(RuleText.text(of: version)) of the audit log; this program reads 1"
            )
        }
        isTruncated = members["truncated"] == .bool(true)
        connection = members["connection"]?.string ?? ""
        client = nil
        switch type {
        case "dropped":
            event = .dropped(members["count"]?.double.flatMap { Int(exactly: $0) })
            return
        case "close":
            event = .close(requests: members["calls"]?.double.flatMap { Int(exactly: $0) })
            return
        case "open":
            event = .open(isAssigned: members["contextAssigned"] == .bool(true))
        case "call", "listen":
            event = .request(try AuditedRequest(type, members))
        default:
            event = .other
            return
        }
        guard let field = members["identityField"]?.string, let identity = members["identity"]?.string,
            !identity.isEmpty
        else {
            throw Failure(description: "has no 'identityField' or no 'identity', without which nothing can be learned")
        }
        guard !connection.isEmpty else { throw Failure(description: "has no 'connection'") }
        client = AuditedClient(
            field: field,
            identity: identity,
            match: try members["match"].map(Self.match),
            context: members["context"]
        )
    }

    /// Fields with lists of texts.
    private static func match(_ value: IPCValue) throws(Failure) -> [String: [[UInt8]]] {
        let failure = Failure(description: "has a 'match' that is no object with lists of texts")
        guard let object = value.object else { throw failure }
        var match: [String: [[UInt8]]] = [:]
        for member in object.members {
            guard let name = member.key.string, case .array(let values) = member.value else { throw failure }
            var texts: [[UInt8]] = []
            for value in values {
                guard let text = value.string, !text.isEmpty else { throw failure }
                texts.append(Array(text.utf8))
            }
            guard !texts.isEmpty else { throw failure }
            match[name] = texts
        }
        return match
    }
}

/// Whose a line of the audit log is.
struct AuditedClient {
    var field: String
    var identity: String
    /// All that its entry went by; nil where the line does not say.
    var match: [String: [[UInt8]]]?
    /// A text, or an object with texts; nil when there is none that a rule could name.
    var context: LearnedContext?

    fileprivate init(field: String, identity: String, match: [String: [[UInt8]]]?, context: IPCValue?) {
        self.field = field
        self.identity = identity
        self.match = match
        self.context = context.flatMap(LearnedContext.init)
    }
}

/// A request in the audit log.
struct AuditedRequest {
    /// What became of a request, as far as the policy goes.
    enum Verdict {
        case allowed
        case denied
        /// It was refused before a rule was asked, for a limit.
        case unjudged
    }

    /// Which of its lines it is.
    enum Phase {
        /// The only one.
        case whole
        /// The first line of a listen.
        case begun
        /// The second line of a listen; `lost` may be the only one.
        case ended
    }

    var right: LearnedRight
    var verdict: Verdict
    var upstream: String?
    var phase: Phase

    fileprivate init(_ type: String, _ members: IPCObject) throws(AuditedLine.Failure) {
        guard let channel = members["channel"]?.string, let outcome = members["outcome"]?.string,
            let name = members[type == "call" ? "command" : "event"]?.string
        else {
            throw AuditedLine.Failure(
                description: "has no 'channel', no '\(type == "call" ? "command" : "event")' or no 'outcome'"
            )
        }
        let direction: AccessPolicy.Direction
        switch members["from"]?.string {
        case "client": direction = .fromClient
        case "server": direction = .fromServer
        default: throw AuditedLine.Failure(description: "has no 'from' that is client or server")
        }
        right = LearnedRight(
            direction: direction,
            channel: Array(channel.utf8),
            request: type == "call" ? .call : .listen,
            name: Array(name.utf8)
        )
        let hasRule = members["rule"]?.string?.isEmpty == false
        verdict = outcome == "denied" || outcome == "revoked" ? .denied : hasRule ? .allowed : .unjudged
        switch (type, outcome) {
        case ("listen", "open"): phase = .begun
        case ("listen", "ended"), ("listen", "closed"), ("listen", "lost"), ("listen", "revoked"): phase = .ended
        default: phase = .whole
        }
        upstream = members["upstream"]?.string
    }
}
