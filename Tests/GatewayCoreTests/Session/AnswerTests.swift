// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("Errors on their way to a client")
struct AnswerTests {
    private static func passed(_ message: [UInt8], passesStack: Bool = false) throws -> GatewaySession.ServerAction {
        var terms = SessionBench.terms()
        terms.answers.passesStack = passesStack
        var bench = try SessionBench(terms)
        _ = bench.client(SessionBench.call(3))
        return bench.server(message)
    }

    private static let failure = IPCMessage.failure(
        id: 3,
        name: "TypeError",
        message: "x is not a function",
        stack: ["TypeError: x is not a function", "    at /srv/secret/server.js:12:3"]
    )

    @Test("lose their stack traces, and nothing else")
    func stripped() throws {
        let expected = IPCMessage.failure(id: 3, name: "TypeError", message: "x is not a function")
        let action = try Self.passed(Self.failure)
        #expect(action == .replace(SessionBench.frame(expected)))
    }

    @Test("keep them where the configuration says so")
    func kept() throws {
        let action = try Self.passed(Self.failure, passesStack: true)
        #expect(action == .forward)
    }

    @Test("lose them however they are spelled, twice, and in errors that are plain values")
    func spellings() throws {
        for (kind, json) in [
            (UInt8(202), #"{"message":"m","st\u0061ck":["/srv/x"]}"#),
            (202, #"{"stack":1,"message":"m","stack":["/srv/x"]}"#),
            (202, #" { "message" : "m" , "stack" : "/srv/x" } "#),
            (203, #"{"message":"m","stack":"/srv/x"}"#),
        ] {
            let header: [UInt8] = [4, 2, 6, kind, 1, 6, 3]
            let action = try Self.passed(header + [5, UInt8(json.utf8.count)] + Array(json.utf8))
            let expected = header + [5, 15] + Array(#"{"message":"m"}"#.utf8)
            #expect(action == .replace(SessionBench.frame(expected)), "\(json)")
        }
    }

    @Test("without one pass as they are, whatever they are")
    func untouched() throws {
        for message in [
            IPCMessage.failure(id: 3, name: "E", message: "m"), IPCMessage.failure(id: 3, error: .undefined),
            IPCMessage.failureValue(id: 3, value: "stack"), IPCMessage.failureValue(id: 3, value: ["stack", 1]),
            IPCMessage.success(id: 3, result: ["stack": "mine"]),
        ] {
            let action = try Self.passed(message)
            #expect(action == .forward)
        }
    }

    @Test("that are too long to be looked into are replaced when they may hold one")
    func tooLong() throws {
        let filler = String(repeating: "x", count: 1 << 20)
        let harmless = IPCMessage.failure(id: 3, name: "E", message: filler)
        let passed = try Self.passed(harmless)
        #expect(passed == .forward)
        guard
            case .replace(let frame) = try Self.passed(
                IPCMessage.failure(id: 3, name: "E", message: filler, stack: ["a"])
            )
        else {
            Issue.record("a long error with a stack trace passed")
            return
        }
        #expect(frame.count < 300)
        let failure = try SessionBench.failure(frame)
        #expect(failure == (3, "Error"))
    }

    @Test("look like those of a channel that is not there, where denials are to be hidden, and come as late")
    func unknownChannel() throws {
        var terms = SessionBench.terms()
        terms.answers.denial = .unknownChannel
        var bench = try SessionBench(terms)
        guard case .deny([], _) = bench.client(SessionBench.call(6, "test.secret")) else {
            Issue.record("a denied call was answered at once")
            return
        }
        guard case .close = bench.client(SessionBench.call(6)) else {
            Issue.record("the id is open until the answer, as it would be at a server")
            return
        }
        let none = bench.wait(999_999_999)
        #expect(none == [])
        #expect(bench.session.nextDeadline == bench.now + 1)
        let due = bench.wait(1)
        let error = #"{"name":"Unknown channel","message":"Channel name 'test' timed out after 1000ms"}"#
        let answer: [UInt8] = [4, 2, 6, 202, 1, 6, 6, 5, UInt8(error.utf8.count)] + Array(error.utf8)
        #expect(due == [.tellClient(SessionBench.frame(answer))])
        #expect(bench.session.nextDeadline == .max)
        let reused = bench.client(SessionBench.call(6))
        #expect(reused == .forward(to: 0))
    }

    @Test("that wait are bounded in bytes, however long the names are")
    func unknownChannelBytes() throws {
        var terms = SessionBench.terms()
        terms.answers.denial = .unknownChannel
        terms.limits.queueBytes = 64 << 10
        var bench = try SessionBench(terms)
        let name = IPCString(String(repeating: "\u{1}", count: 100_000))
        var refused = 0
        for id in UInt64(0)..<20 {
            let call = IPCMessage.call(id: id, channel: name, command: "c")
            if case .deny(let answer, _) = bench.client(call), !answer.isEmpty { refused += 1 }
        }
        #expect(refused == 17, "each that waits has some 24 KiB")
        let due = bench.wait(1_000_000_000)
        #expect(due.count == 3)
    }

    @Test("that wait are bounded like open calls")
    func unknownChannelBound() throws {
        var terms = SessionBench.terms()
        terms.answers.denial = .unknownChannel
        terms.clientLimits.callsOutstanding = 2
        var bench = try SessionBench(terms)
        for id in UInt64(0)..<2 { _ = bench.client(SessionBench.call(id, "test.secret")) }
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(2, "test.secret")))
        #expect(refusal == (2, "LimitExceeded"))
        _ = bench.wait(1_000_000_000)
        let call = bench.client(SessionBench.call(3))
        #expect(call == .forward(to: 0))
    }
}
