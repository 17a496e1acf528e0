// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("Rules learned from audit logs")
struct PolicyLearnerTests {
    static func learner(_ lines: [String], includesDenied: Bool = false) throws -> PolicyLearner {
        var learner = PolicyLearner(includesDenied: includesDenied)
        for line in lines { try learner.add(Array(line.utf8)) }
        return learner
    }

    private static let alice =
        #""connection":"1","identityField":"uri","identity":"spiffe://x/alice","context":"remote:alice""#
    private static let opened =
        #"{"v":1,"type":"open",\#(alice),"contextAssigned":true,"entry":"clients[0]","match":{"uri":["spiffe://x/alice"]}}"#
    private static let closed = #"{"v":1,"type":"close",\#(alice),"reason":"finished"}"#

    private static func call(_ channel: String, _ command: String, _ outcome: String = "ok") -> String {
        #"{"v":1,"type":"call",\#(alice),"from":"client","channel":"\#(channel)","command":"\#(command)","#
            + #""outcome":"\#(outcome)","rule":"r","upstream":"main"}"#
    }

    @Test("are grouped by channel, sorted, and the same in whatever order things happened")
    func grouping() throws {
        let lines = [
            Self.opened, Self.call("b", "y"), Self.call("a", "z"), Self.call("b", "x"), Self.call("b", "x", "error"),
            #"{"v":1,"type":"listen",\#(Self.alice),"from":"client","channel":"b","event":"on*","outcome":"open","rule":"r"}"#,
            #"{"v":1,"type":"listen",\#(Self.alice),"from":"server","channel":"a","event":"e","outcome":"ended","rule":"r"}"#,
            #"{"v":1,"type":"future",\#(Self.alice)}"#, Self.closed,
        ]
        let expected = #"""
            clients:
              - match: { uri: "spiffe://x/alice" }
                context: "remote:alice"
                allow:
                  - { channel: a, call: [z] }
                  - { channel: b, call: [x, "y"], listen: ["on\\*"] }
                  - { from: server, channel: a, listen: [e] }
                upstream: main

            """#
        #expect(try Self.learner(lines).yaml() == expected)
        #expect(try Self.learner(lines.reversed()).yaml() == expected)
        #expect(try Self.learner(lines).warnings.isEmpty)
    }

    @Test("are shared as a role by identities that need the same")
    func roles() throws {
        let bob = { (line: String) in line.replacing("alice", with: "bob").replacing(#"n":"1""#, with: #"n":"2""#) }
        let lines = [Self.opened, Self.call("a", "b")]
        let yaml = try Self.learner(lines + lines.map(bob)).yaml()
        #expect(yaml.contains("roles:\n  learned-1:\n    allow:\n      - { channel: a, call: [b] }\n"))
        #expect(yaml.components(separatedBy: "    roles: [learned-1]\n").count == 3)
        let different = try Self.learner(lines + lines.map(bob) + [bob(Self.call("a", "c"))]).yaml()
        #expect(!different.contains("roles:"))
    }

    @Test("leave out what was denied, unless it is asked for")
    func denied() throws {
        let lines = [Self.opened, Self.call("a", "b", "denied")]
        let learner = try Self.learner(lines)
        #expect(try learner.yaml().contains("allow: []"))
        #expect(learner.warnings.contains { $0.contains("--include-denied") })
        #expect(try Self.learner(lines, includesDenied: true).yaml().contains("{ channel: a, call: [b] }"))
    }

    @Test("come with a warning when the log is not complete")
    func incomplete() throws {
        let close = #"{"v":1,"type":"close",\#(Self.alice),"reason":"finished","calls":"#
        func warnings(_ lines: String...) throws -> [String] { try Self.learner(lines).warnings }
        #expect(try warnings(Self.opened).contains { $0.contains("1 connection has no close line") })
        func listen(_ outcome: String) -> String {
            #"{"v":1,"type":"listen",\#(Self.alice),"from":"client","channel":"b","event":"e","rule":"r","#
                + #""outcome":"\#(outcome)"}"#
        }
        #expect(
            try warnings(Self.opened, listen("open"), listen("lost"), close + "2}").contains {
                $0.contains("1 request has no line")
            },
            "a listen that was lost has two lines"
        )
        #expect(try warnings(Self.opened, listen("lost"), close + "1}").isEmpty)
        let limited = Self.call("a", "x", "limit-exceeded").replacing(#","rule":"r""#, with: "")
        let unjudged = try Self.learner([Self.opened, limited, close + "1}"])
        #expect(try unjudged.yaml().contains("allow: []"))
        #expect(unjudged.warnings.contains { $0.contains("no rule has judged") })
        #expect(try Self.learner([Self.opened, Self.call("a", "x", "busy")]).yaml().contains("call: [x]"))
        #expect(try warnings(#"{"v":1,"type":"dropped","count":7}"#).contains { $0.contains("dropped 7 lines") })
        #expect(
            try warnings(Self.opened, Self.call("a", "b"), close + "3}").contains {
                $0.contains("2 requests have no line")
            }
        )
        #expect(try warnings(Self.opened, Self.call("a", "b"), close + "1}").isEmpty)
        let cut = Self.call("a", "b").replacing("}", with: #","truncated":true}"#)
        let learner = try Self.learner([Self.opened, cut])
        #expect(learner.warnings.contains { $0.contains("text that was cut") })
        #expect(try learner.yaml().contains("allow: []"), "a name that was cut is another name")
        #expect(try warnings(Self.opened, Self.call("", "b")).contains { $0.contains("no rule can name it") })
        #expect(try warnings(Self.call("a", "b")).contains { $0.contains("no open line") })
    }

    @Test(
        "give contexts as they were",
        arguments: [
            ([#""remote:x""#], true, "\"remote:x\""), ([#""a{b}""#], true, "{ announced: [\"a{b}\"] }"),
            ([#""w:1""#, #""w:2""#, #""w*""#], false, "{ announced: [\"w\\\\*\", \"w:1\", \"w:2\"] }"),
            ([#"{"clientId":"x","r":"y"}"#], true, "{ assign: { clientId: x, r: \"y\" } }"),
            ([#"{"b":"1*"}"#, #"{"b":"2"}"#], false, "{ announced: { b: [\"1\\\\*\", \"2\"] } }"),
            // A text is no object, whatever it looks like.
            ([#""{\"a\":\"b\"}""#], false, #"{ announced: ["{\"a\":\"b\"}"] }"#),
        ]
    )
    func contexts(contexts: [String], isAssigned: Bool, expected: String) throws {
        let lines = contexts.map { context in
            #"{"v":1,"type":"open","connection":"1","identityField":"commonName","identity":"c","#
                + #""context":\#(context),"contextAssigned":\#(isAssigned)}"#
        }
        let yaml = try Self.learner(lines).yaml()
        #expect(yaml.contains("    context: \(expected)\n"), "\(yaml)")
        _ = try PolicyText.configuration(yaml)
    }

    @Test(
        "refuse lines that are none of an audit log",
        arguments: [
            ("x", "is not JSON"), ("[]", "not an object"), ("{}", "there is no 'v'"),
            (#"{"v":2,"type":"call"}"#, "version 2"),
            (#"{"v":1,"type":"open"}"#, "no 'identityField'"),
            (#"{"v":1,"type":"open","identityField":"uid","identity":"1"}"#, "no 'connection'"),
            (#"{"v":1,"type":"open",\#(alice),"match":{"uri":"x"}}"#, "'match'"),
            (#"{"v":1,"type":"call"}"#, "no 'channel'"),
            (#"{"v":1,"type":"call","from":"me","channel":"a","command":"b","outcome":"ok"}"#, "no 'from'"),
        ]
    )
    func refused(line: String, message: String) {
        do {
            _ = try Self.learner([line])
            Issue.record("it was taken")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
        }
    }

    // MARK: Property

    @Test("allow exactly what was recorded, to whom it was recorded for", arguments: 0..<60 as Range<UInt64>)
    func exact(seed: UInt64) throws {
        var session = RecordedSession(seed: seed)
        session.record()
        let yaml = try Self.learner(session.lines).yaml()
        let configuration = try PolicyText.configuration(yaml)
        let view = try #require(PolicyView(configuration))
        var wrong: [String] = []
        for client in session.clients {
            let subject = try view.subject(of: .certificate(client.identity))
            for context in client.contexts {
                let announced = client.isAssigned ? IPCValue("whatever") : IPCValue(context)
                if try view.context(of: subject, announced: announced) != IPCValue(context) {
                    wrong.append("context \(context)")
                }
            }
            if !client.isAssigned, (try? view.context(of: subject, announced: "never seen")) != nil {
                wrong.append("a context that was never seen")
            }
            let policy = subject.client.policy
            for question in RecordedSession.everything {
                let decision = policy.decision(
                    question.request,
                    from: question.direction,
                    question.channel,
                    question.name
                )
                let isExpected = client.asked.contains(RecordedSession.key(question))
                if decision.isAllowed != isExpected { wrong.append("\(question)") }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))\n\(yaml)")
        let stranger = CertificateIdentity(commonNames: ["stranger"], uris: ["spiffe://x/stranger"])
        #expect(throws: CloseReason.self) { try view.subject(of: .certificate(stranger)) }
    }
}
