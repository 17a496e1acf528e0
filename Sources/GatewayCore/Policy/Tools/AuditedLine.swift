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
        client = AuditedClient(field: field, identity: identity, context: members["context"])
    }
}

/// Whose a line of the audit log is.
struct AuditedClient {
    var field: String
    var identity: String
    /// A text, or an object with texts; nil when there is none that a rule could name.
    var context: LearnedContext?

    fileprivate init(field: String, identity: String, context: IPCValue?) {
        self.field = field
        self.identity = identity
        self.context = context.flatMap(LearnedContext.init)
    }
}

/// A request in the audit log.
struct AuditedRequest {
    var right: LearnedRight
    var isDenied: Bool
    var upstream: String?
    /// Whether it is the second line of a listen that has one already.
    var isRepeated: Bool

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
        isDenied = outcome == "denied"
        isRepeated = type == "listen" && (outcome == "ended" || outcome == "closed")
        upstream = members["upstream"]?.string
    }
}
