// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The right to call one command or listen to one event. Names are bytes: to servers two spellings of `é` are two names.
struct LearnedRight: Hashable {
    var direction: AccessPolicy.Direction
    var channel: [UInt8]
    var request: AccessPolicy.Request
    var name: [UInt8]

    /// Whether a pattern can name it: one that is empty, or too long, matches nothing.
    var canBeNamed: Bool {
        let names = [channel, name]
        return names.allSatisfy { !$0.isEmpty && $0.count <= AccessPolicy.longestName }
    }
}

/// A context that was seen.
enum LearnedContext: Hashable {
    case text([UInt8])
    /// The names and values of an object's members, in its order.
    case object([[[UInt8]]])

    /// Takes what the log says; nil for what no entry can name, such as an empty text.
    init?(_ value: IPCValue) {
        switch value {
        case .string(let text):
            guard text.string != nil, !text.wtf8.isEmpty else { return nil }
            self = .text(text.wtf8)
        case .object(let object): self.init(object)
        default: return nil
        }
    }

    /// For a person: a text in quotes, an object in braces.
    var text: String {
        func quoted(_ bytes: [UInt8]) -> String { "'\(LogText.quoted(String(decoding: bytes, as: UTF8.self)))'" }
        return switch self {
        case .text(let text): quoted(text)
        case .object(let members):
            "{ \(members.map { "\(quoted($0[0])): \(quoted($0[1]))" }.joined(separator: ", ")) }"
        }
    }

    private init?(_ object: IPCObject) {
        guard !object.members.isEmpty else { return nil }
        var members: [[[UInt8]]] = []
        for member in object.members {
            guard case .string(let value) = member.value, value.string != nil, !value.wtf8.isEmpty,
                member.key.string != nil, member.key != "__proto__"
            else { return nil }
            members.append([member.key.wtf8, value.wtf8])
        }
        self = .object(members)
    }
}

/// What one identity did.
struct LearnedClient {
    /// Who it is: fields and their values, those that its entry went by.
    struct Key: Hashable {
        /// A field and its value.
        struct Member: Hashable {
            var field: String
            var value: [UInt8]
        }

        /// In the order of ``IdentityField``, each field once.
        let members: [Member]

        /// - Parameter match: Of several values of a field the least is taken: a pattern for each would match whoever has
        ///   any of them.
        init(_ match: [String: [[UInt8]]]) {
            let order = IdentityField.allCases.map(\.rawValue)
            func rank(_ field: String) -> Int { order.firstIndex(of: field) ?? order.count }
            members = match.compactMap { field, values in
                values.min { $0.lexicographicallyPrecedes($1) }.map { Member(field: field, value: $0) }
            }.sorted { left, right in
                (rank(left.field), left.field) < (rank(right.field), right.field)
            }
        }

        /// The field that decided alone.
        init(_ client: AuditedClient) {
            self.init([client.field: [Array(client.identity.utf8)]])
        }

        /// For a person.
        var text: String {
            members.map { "\($0.field) '\(LogText.quoted(String(decoding: $0.value, as: UTF8.self)))'" }
                .joined(separator: ", ")
        }
    }

    /// A context, and where it was seen last.
    struct SeenContext {
        var context: LearnedContext
        /// Counts lines; the greatest is the last.
        var number: Int
        /// The file and line, for messages.
        var place: String
        /// Whether a line says that the gateway made it.
        var isAssigned: Bool
    }

    var rights: Set<LearnedRight> = []
    private var seen: [LearnedContext: SeenContext] = [:]
    /// Whether the gateway made the context; nil when no line said so.
    var isAssigned: Bool?
    /// The servers, and how many requests each got.
    var upstreams: [[UInt8]: Int] = [:]

    /// The contexts, in the order they were seen; the last one is the one that is in force.
    var contexts: [SeenContext] { seen.values.sorted { $0.number < $1.number } }

    /// Contexts that one entry cannot have given: it assigns one. Empty when there is no such trouble.
    var conflicting: [SeenContext] {
        // Nobody knows what was assigned where no line says so; to let it be announced would be a guess.
        let assigned = isAssigned == false ? contexts.filter(\.isAssigned) : contexts
        return assigned.count > 1 ? assigned : []
    }

    mutating func add(_ context: SeenContext) {
        var context = context
        if let known = seen[context.context] {
            context.isAssigned = context.isAssigned || known.isAssigned
            if known.number > context.number { (context.number, context.place) = (known.number, known.place) }
        }
        seen[context.context] = context
    }

    mutating func add(isAssigned: Bool) {
        self.isAssigned = (self.isAssigned ?? true) && isAssigned
    }

    mutating func add(_ other: LearnedClient) {
        rights.formUnion(other.rights)
        for context in other.seen.values { add(context) }
        if let isAssigned = other.isAssigned { add(isAssigned: isAssigned) }
        upstreams.merge(other.upstreams, uniquingKeysWith: +)
    }
}
