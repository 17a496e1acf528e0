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
            // The log writes an object's JSON as a text.
            let json = text.wtf8
            if json.first == UInt8(ascii: "{"), let object = try? JSONText.parse(json.span, in: 0..<json.count).object {
                self.init(object)
            } else {
                guard text.string != nil, !json.isEmpty else { return nil }
                self = .text(text.wtf8)
            }
        case .object(let object): self.init(object)
        default: return nil
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
    /// The certificate field and its value.
    struct Key: Hashable {
        var field: String
        var identity: [UInt8]
    }

    var rights: Set<LearnedRight> = []
    /// In the order they were seen.
    var contexts: [LearnedContext] = []
    /// Whether the gateway made the context; nil when no line said so.
    var isAssigned: Bool?
    /// The servers, and how many requests each got.
    var upstreams: [[UInt8]: Int] = [:]

    mutating func add(_ context: LearnedContext) {
        // The last one is the one that is in force.
        contexts.removeAll { $0 == context }
        contexts.append(context)
    }
}
