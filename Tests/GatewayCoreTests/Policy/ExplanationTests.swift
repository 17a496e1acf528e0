// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import TLSEngine
import Testing

@Suite("Explanations of decisions")
struct ExplanationTests {
    private static func explanation(
        allow: String = "[]",
        deny: String = "[]",
        _ question: PolicyQuestion
    ) throws -> PolicyExplanation {
        PolicyExplanation(question, try PolicyText.policy(allow: allow, deny: deny), limits: IPCLimits())
    }

    private static func call(_ channel: String, _ name: String, _ argument: [UInt8] = [0]) -> PolicyQuestion {
        PolicyQuestion(.call, channel: channel, name: name, argument: argument)
    }

    @Test("name the rule that decided")
    func rule() throws {
        let rules = "[{ name: all, channel: \"*\", call: [\"*\"] }]"
        let allowed = try Self.explanation(allow: rules, Self.call("a", "b"))
        #expect(allowed.isAllowed)
        #expect(allowed.rule?.name == "all")
        #expect(allowed.misses.isEmpty)
        let denied = try Self.explanation(allow: rules, deny: "[{ channel: a, call: [b] }]", Self.call("a", "b"))
        #expect(!denied.isAllowed)
        #expect(denied.rule?.place == "clients[0].deny[0]")
        #expect(denied.misses.isEmpty)
    }

    @Test("list what nearly allows it, the nearest first")
    func misses() throws {
        let rules = """
            [{ channel: other, call: [getAll] }, { channel: storage, call: [set] }, { channel: storage, listen: [getAll] },
             { from: server, channel: storage, call: [getAll] }, { channel: storage, call: [getall] },
             { channel: storage, call: [getAll], when: { "[0]": { min: 3 } } }, { channel: far, call: [away] },
             { channel: stor, call: ["*"] }, { channel: storag, call: [getAll] }]
            """
        let explanation = try Self.explanation(allow: rules, Self.call("storage", "getAll", PolicyText.array([6, 2])))
        let places = explanation.misses.map(\.rule.place)
        #expect(places == [5, 3, 2, 4, 1, 8, 0].map { "clients[0].allow[\($0)]" })
        let texts = explanation.misses.map(\.description)
        try #require(texts.count == 7)
        #expect(texts[0] == "its conditions: [0] min: 3 fails: it is 2")
        #expect(texts[1] == "it is for requests of the server")
        #expect(texts[2] == "it allows to listen to that, not to call")
        #expect(texts[3] == "it allows call getall; did you mean 'getall'?")
        #expect(texts[4] == "it allows call set")
        #expect(texts[5] == "it is for the channel storag; did you mean 'storag'?")
        #expect(texts[6] == "it is for the channel other")
    }

    @Test(
        "say which condition does not hold, and why",
        arguments: [
            ("\"[0]\": { equals: a }", #"["b"]"#, "[0] equals: a fails: it is the text 'b'"),
            ("\"[0]\": { oneOf: [1, \"1\", null] }", "[2]", "[0] oneOf: [1, \"1\", null] fails: it is 2"),
            ("\"[0]\": { prefix: [db/, x] }", #"["c"]"#, "[0] prefix: [db/, x] fails: it is the text 'c'"),
            ("\"[0]\": { below: /srv/../etc }", #"["/srv"]"#, "[0] below: /etc fails: it is the text '/srv'"),
            ("\"[1]\": { present: true }", "[1]", "[1] present: true fails: it is not there"),
            ("\"[0]\": { min: 0.5 }", "[null]", "[0] min: 0.5 fails: it is null"),
            ("\"[0]\": { max: 5 }", #"["1"]"#, "[0] max: 5 cannot be judged: it is the text '1', a kind of value"),
            ("\"[0]\": { below: / }", #"["a"]"#, "cannot be judged: it is the text 'a', which is relative"),
            ("\"[0].x\": { min: 1 }", #"["a"]"#, "cannot be judged: 'x' is asked of what is not an object"),
            ("a: { min: 1 }", "[1]", "cannot be judged: 'a' is asked of what is not an object"),
            ("\"[0]\": { min: 1 }", #"{"0":1}"#, "cannot be judged: [0] is asked of what is not an array"),
            ("a: { min: 1 }", #"{"a":1,"\u0061":1}"#, "cannot be judged: the JSON there holds a key twice"),
            (
                "\"[0]\": { below: /srv }", #"[{"path":"/srv"}]"#,
                "cannot be judged: it is an object without the mark of a URI"
            ),
            (
                "\"[0].path\": { below: /srv }", #"[{"$mid":1,"scheme":"file","path":"/srv","fsPath":"/etc"}]"#,
                "a member of a URI whose members disagree"
            ),
            (
                "\"[0]\": { below: /srv }", #"[{"$mid":1,"scheme":"file","path":"/srv","fsPath":"/etc"}]"#,
                "a URI whose members disagree"
            ),
        ]
    )
    func conditions(when: String, json: String, message: String) throws {
        let parsed = try JSONText.parse(Array(json.utf8).span, in: 0..<json.utf8.count)
        let argument = parsed.object == nil ? ValueEncoder.encode(parsed) : PolicyText.json(json)
        let rule = "[{ channel: a, call: [b], when: { \(when) } }]"
        let missed = try Self.explanation(allow: rule, Self.call("a", "b", argument))
        #expect(missed.misses.first?.description.contains(message) == true, "\(missed.misses.map(\.description))")
        // What denies applies unless it fails, and says so.
        let denied = try Self.explanation(
            allow: "[{ channel: a, call: [b] }]",
            deny: rule,
            Self.call("a", "b", argument)
        )
        #expect(denied.isAllowed == message.contains(" fails: "))
        #expect(denied.isAllowed || denied.undecided.contains { $0.description.contains(message) })
    }

    @Test("say when names are too long, whatever the rules")
    func long() throws {
        let name = String(repeating: "a", count: 4097)
        let explanation = try Self.explanation(allow: "[{ channel: \"*\", call: [\"*\"] }]", Self.call(name, "b"))
        #expect(explanation.isTooLong)
        #expect(!explanation.isAllowed)
    }

    @Test("take channel and name apart at the last dot")
    func split() {
        for (text, channel, name) in [("a.b", "a", "b"), ("a.b.c", "a.b", "c"), ("é.ü", "é", "ü"), ("..a", ".", "a")] {
            let parts = PolicyQuestion.split(text)
            #expect(parts?.channel == channel && parts?.name == name, "\(text)")
        }
        for text in ["", ".", "a", "a.", ".a"] { #expect(PolicyQuestion.split(text) == nil, "\(text)") }
    }

    @Test("know the identity, its entry and its context, in both policies")
    func subjects() throws {
        let configuration = try PolicyText.configuration(
            """
            clients:
              - { match: { commonName: x }, context: "dev:{commonName}", allow: [{ channel: a, call: [b] }] }
              - { match: { commonName: y }, context: { announced: ["w:*"] }, allow: [{ channel: a, call: [b] }] }
            shadow: { clients: [{ match: { commonName: x }, context: c, allow: [] }] }
            """
        )
        let live = try #require(PolicyView(configuration))
        let x = try live.subject(of: .certificate(CertificateIdentity(commonNames: ["x"])))
        #expect(x.place == "clients[0]")
        #expect(live.named(x.place, line: x.client.line) == "clients[0] (gateway.yaml:5)")
        #expect(try live.context(of: x, announced: nil) == "dev:x")
        let y = try live.subject(of: .certificate(CertificateIdentity(commonNames: ["y"])))
        #expect(try live.context(of: y, announced: nil) == nil)
        #expect(try live.context(of: y, announced: "w:1") == "w:1")
        #expect(throws: CloseReason.self) { try live.context(of: y, announced: "v:1") }
        #expect(throws: CloseReason.self) {
            try live.subject(of: .certificate(CertificateIdentity(commonNames: ["z"])))
        }
        let shadow = try #require(PolicyView(configuration, .shadow))
        #expect(
            try shadow.subject(of: .certificate(CertificateIdentity(commonNames: ["x"]))).place == "shadow.clients[0]"
        )
        #expect(PolicyView(try PolicyText.configuration("clients: []"), .shadow) == nil)
    }
}
