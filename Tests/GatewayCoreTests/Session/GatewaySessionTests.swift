// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A session")
struct GatewaySessionTests {
    private static func session(
        grant: IdentityMap.ContextGrant = .assigned("remote:alice"),
        limits: GatewayLimits = GatewayLimits()
    ) -> GatewaySession {
        var terms = SessionBench.terms(grant: grant)
        terms.limits = limits
        return GatewaySession(terms)
    }

    @Test("waits for a whole frame and says how long it will be")
    func waits() {
        var session = Self.session()
        let bytes = SessionBench.frame(IPCMessage.context("x"))
        for count in 0..<bytes.count {
            let step = session.receivedFromClient(bytes.span.extracting(0..<count), at: 0)
            #expect(step.action == .wait)
            #expect(step.byteCount == (count < FrameHeader.byteCount ? FrameHeader.byteCount : bytes.count))
        }
        let step = session.receivedFromClient(bytes.span, at: 0)
        #expect(step == .init(byteCount: bytes.count, action: .accept))
    }

    @Test("tells the server the authenticated context and Initialize, whatever was announced")
    func opening() {
        var session = Self.session()
        let announced = SessionBench.frame(IPCMessage.context(["clientId": "renderer"]))
        let action = session.receivedFromClient(announced.span, at: 0).action
        #expect(action == .accept)
        #expect(session.context == "remote:alice")
        let opening = session.openUpstream(0)
        let context = SessionBench.frame(IPCMessage.context("remote:alice"))
        #expect(opening == context + SessionBench.frame(IPCMessage.initialize))
    }

    @Test("takes an announced context only as a string, not as JSON text of one")
    func announcedForms() {
        let grant = IdentityMap.ContextGrant.announced([SessionBench.glob("main")])
        var asString = Self.session(grant: grant)
        let accepted = asString.receivedFromClient(SessionBench.frame(IPCMessage.context("main")).span, at: 0).action
        #expect(accepted == .accept)
        var asJSON = Self.session(grant: grant)
        let json: [UInt8] = [5, 6] + Array("\"main\"".utf8)
        guard case .close(let reason) = asJSON.receivedFromClient(SessionBench.frame(json).span, at: 0).action else {
            Issue.record("a context in JSON was accepted")
            return
        }
        #expect(reason.code == .contextNotAllowed)
    }

    @Test("bounds the context more tightly than other frames")
    func contextBound() {
        var session = Self.session(limits: GatewayLimits(contextBytes: 16))
        let long = SessionBench.frame(IPCMessage.context(.string("a context that is too long")))
        guard case .close(let reason) = session.receivedFromClient(long.span.extracting(0..<13), at: 0).action else {
            Issue.record("the header alone must be enough to refuse")
            return
        }
        #expect(reason.code.rawValue == "frame-too-large")
    }

    @Test("forwards what is allowed, and about what is open, and swallows the client's Initialize")
    func forwards() throws {
        var bench = try SessionBench()
        let actions = [
            bench.client(IPCMessage.initialize),
            bench.client(SessionBench.call(0)),
            bench.client(SessionBench.listen(1)),
            bench.client(IPCMessage.cancel(id: 0)),
            bench.client(IPCMessage.unlisten(id: 1)),
        ]
        let forward = GatewaySession.ClientAction.forward(to: 0)
        #expect(actions == [.swallow, forward, forward, forward, forward])
        #expect(bench.session.framesFromClient == 4)
        #expect(bench.session.requestCount == 2)
        #expect(bench.session.strayCount == 0)
    }

    @Test("answers a denied call with its id and drops a denied listen")
    func denies() throws {
        var bench = try SessionBench()
        let call = bench.client(SessionBench.call(7, "test.drop\u{1b}[2J"))
        guard case .deny(_, let denial) = call else {
            Issue.record("the call was not denied")
            return
        }
        #expect(denial.description == "call of 'test.drop\\u{1b}[2J'")
        let refusal = try SessionBench.refusal(call)
        #expect(refusal == (7, "AccessDenied"))
        let listen = bench.client(SessionBench.listen(8, "test.onDrop"))
        guard case .deny([], _) = listen else {
            Issue.record("the listen was not dropped")
            return
        }
        #expect(bench.session.deniedCount == 2)
    }

    @Test("tells the rule that denied a call only where it is to")
    func namedRule() throws {
        for (namesRule, expected) in [(false, false), (true, true)] {
            var terms = SessionBench.terms()
            terms.answers.namesRule = namesRule
            var bench = try SessionBench(terms)
            guard case .deny(let answer, let denial) = bench.client(SessionBench.call(0, "test.shutdown")) else {
                Issue.record("the call was not denied")
                return
            }
            #expect(denial.rule.map { terms.policy[$0].title } == "no shutdown")
            guard case .failure(_, let error) = try SessionBench.message(answer) else { return }
            let message = error["message"]?.string?.description ?? ""
            #expect(message.contains("no shutdown") == expected)
        }
    }

    @Test("denies names too long to be held against every pattern")
    func longNames() throws {
        let anything = AccessPolicy.Rule(channel: SessionBench.glob("*"), call: [SessionBench.glob("*")])
        var terms = SessionBench.terms()
        terms.policy = AccessPolicy(rules: [anything])
        var bench = try SessionBench(terms)
        for (id, count, passes) in [(UInt64(0), 4096, true), (1, 4097, false)] {
            let name = IPCString(String(repeating: "n", count: count))
            let action = bench.client(IPCMessage.call(id: id, channel: "c", command: name, argument: .undefined))
            #expect((action == .forward(to: 0)) == passes)
        }
    }

    @Test("closes on a malformed frame with its name")
    func malformed() throws {
        for (message, code) in [
            ([UInt8]([5, 0]), "header-not-array"), ([4, 1, 6, 99, 0], "unknown-message-kind"), ([], "truncated"),
            (SessionBench.call(0) + [0], "trailing-bytes"),
        ] {
            var bench = try SessionBench()
            guard case .close(let reason) = bench.client(message) else {
                Issue.record("\(message) was not refused")
                continue
            }
            #expect(reason.code.rawValue == code)
        }
    }

    @Test("passes the server's answers, swallows its Initialize and closes on what the protocol does not allow")
    func server() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.call(0))
        #expect(!bench.session.isReady(0))
        let initialize = bench.server(IPCMessage.initialize)
        #expect(initialize == .swallow)
        #expect(bench.session.isReady(0))
        let answer = bench.server(IPCMessage.success(id: 0, result: 5))
        #expect(answer == .forward)
        let part = bench.session.receivedFromServer([1, 0, 0].span, at: 0).action
        #expect(part == .wait)
        guard case .close(let reason) = bench.server([9]) else {
            Issue.record("a malformed frame of the server passed")
            return
        }
        #expect(reason.code == .upstreamMalformed)
        let keepAlive = Frame(type: .keepAlive, id: 0, ack: 0, body: []).encoded()
        guard case .close = bench.session.receivedFromServer(keepAlive.span, at: 0).action else {
            Issue.record("a frame of the persistent protocol passed")
            return
        }
    }

    @Test("passes what the server asks of the client where a rule allows it, and answers the rest itself")
    func serverRequests() throws {
        var bench = try SessionBench()
        let shown = bench.server(SessionBench.call(0, "window.show"))
        #expect(shown == .forward)
        let focused = bench.server(SessionBench.listen(1, "window.onFocus"))
        #expect(focused == .forward)
        // What the client may do at the server is another right.
        guard case .deny(let answer, let denial) = bench.server(SessionBench.call(2)) else {
            Issue.record("the call reached the client")
            return
        }
        #expect(denial.description == "call of 'test.echo'")
        let failure = try SessionBench.failure(answer)
        #expect(failure == (2, "AccessDenied"))
        guard case .deny([], _) = bench.server(SessionBench.listen(3, "window.onBlur")) else {
            Issue.record("the subscription reached the client")
            return
        }
        #expect(bench.session.deniedCount == 2)
        #expect(bench.session.framesFromServer == 2)
    }
}
