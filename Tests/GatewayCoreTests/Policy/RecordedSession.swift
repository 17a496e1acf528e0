// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// Clients that ask for things at random, and the audit log of it.
struct RecordedSession {
    struct Client {
        var field: String
        var value: String
        var isAssigned: Bool
        var contexts: [String]
        var asked: Set<[UInt8]> = []

        var identity: CertificateIdentity {
            field == "uri" ? CertificateIdentity(uris: [value]) : CertificateIdentity(commonNames: [value])
        }
    }

    /// Names that mean something to globs, to YAML, or to those who compare text by its looks.
    static let names = [
        "get", "getAll", "*", "**", "g*t", "\\*", "a\\", "caf\u{e9}", "cafe\u{301}", "null", "true", "~", "- a", "a: b",
        "#x", "{x}", "[y]", "'q'", "\"dq\"", "tab\t", "line\nfeed", "\u{0}", "a\u{0}b", "a", "\u{feff}get", "\u{7f}",
        "\u{85}", "\u{2028}", "\u{feff}",
        "\u{1f600}", " lead", "trail ", "1", "0x10", "<<", "=", "!tag", "&a", "%d", "@a", "`b", "a,b", "yes",
        "\u{fffe}",
    ]
    private static let channels = Array(names.prefix(12)) + ["a.b", "line\nfeed", "null"]

    /// All requests that can be asked for.
    static let everything: [PolicyQuestion] = {
        var all: [PolicyQuestion] = []
        for channel in channels {
            for name in names {
                for request in AccessPolicy.Request.allCases {
                    for direction in AccessPolicy.Direction.allCases {
                        all.append(PolicyQuestion(request, direction, channel: channel, name: name))
                    }
                }
            }
        }
        return all
    }()

    private(set) var clients: [Client] = []
    private(set) var lines: [String] = []
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// What tells a request from all others.
    static func key(_ question: PolicyQuestion) -> [UInt8] {
        let right = "\(question.request == .call)\(question.direction == .fromServer)\u{1}"
        return Array("\(right)\(question.channel)\u{1}\(question.name)".utf8)
    }

    mutating func record() {
        let values = ["alice", "b*b", "caf\u{e9}", "cafe\u{301}", "o\\ps", "null", "{c}"]
        for value in values.shuffled(using: &random).prefix(Int.random(in: 1...5, using: &random)) {
            let isAssigned = Bool.random(using: &random)
            let texts = ["w:1", "w*", "caf\u{e9}", "\\", "x{y", "null"].shuffled(using: &random)
            // A context with braces cannot be assigned.
            let contexts =
                isAssigned
                ? [texts.first { !$0.contains("{") } ?? "w:1"]
                : Array(texts.prefix(Int.random(in: 1...3, using: &random)))
            let isURI = Bool.random(using: &random)
            clients.append(
                Client(
                    field: isURI ? "uri" : "commonName",
                    value: isURI ? "spiffe://x/\(value)" : value,
                    isAssigned: isAssigned,
                    contexts: contexts
                )
            )
        }
        var asked: [PolicyQuestion] = []
        for index in clients.indices {
            for context in clients[index].contexts { open(index, context) }
            // Some ask for what the one before asked for.
            if asked.isEmpty || !Bool.random(using: &random) {
                asked = Array(Self.everything.shuffled(using: &random).prefix(Int.random(in: 0...25, using: &random)))
            }
            for question in asked {
                ask(index, question, ["ok", "error", "cancelled", "lost"].randomElement(using: &random) ?? "ok")
                clients[index].asked.insert(Self.key(question))
            }
            for question in Self.everything.shuffled(using: &random).prefix(5) { ask(index, question, "denied") }
        }
    }

    private mutating func open(_ index: Int, _ context: String) {
        var members = common("open", index)
        members["context"] = IPCValue(context)
        members["contextAssigned"] = .bool(clients[index].isAssigned)
        var match = IPCObject()
        match[IPCString(clients[index].field)] = .array([IPCValue(clients[index].value)])
        members["match"] = .object(match)
        write(members)
    }

    private mutating func ask(_ index: Int, _ question: PolicyQuestion, _ outcome: String) {
        var members = common(question.request == .call ? "call" : "listen", index)
        members["context"] = IPCValue(clients[index].contexts[0])
        members["from"] = question.direction == .fromClient ? "client" : "server"
        members["channel"] = IPCValue(question.channel)
        members[question.request == .call ? "command" : "event"] = IPCValue(question.name)
        members["outcome"] = IPCValue(outcome)
        members["upstream"] = "main"
        members["rule"] = "r"
        write(members)
    }

    private func common(_ type: String, _ index: Int) -> IPCObject {
        [
            "v": 1, "type": IPCValue(type), "connection": IPCValue("c\(index)"),
            "identityField": IPCValue(clients[index].field), "identity": IPCValue(clients[index].value),
        ]
    }

    private mutating func write(_ members: IPCObject) {
        lines.append(String(decoding: JSONText.write(.object(members)) ?? [], as: UTF8.self))
    }
}
