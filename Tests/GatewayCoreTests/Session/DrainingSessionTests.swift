// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A session whose gateway stops")
struct DrainingSessionTests {
    private static func open() throws -> SessionBench {
        var bench = try SessionBench()
        _ = bench.session.openUpstream(0)
        _ = bench.server(IPCMessage.initialize)
        return bench
    }

    @Test("does not finish unless it drains")
    func serving() throws {
        var bench = try Self.open()
        let tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks == nil)
        #expect(!bench.session.isDraining)
    }

    @Test("answers new calls with an error that names them, and drops new subscriptions")
    func refusals() throws {
        var bench = try Self.open()
        bench.session.drain()
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(7)))
        #expect(refusal == (7, "Draining"))
        guard case .deny(let answer, let denial) = bench.client(SessionBench.listen(8)) else {
            Issue.record("the subscription passes")
            return
        }
        #expect(answer.isEmpty)
        #expect(denial.cause == .draining)
        #expect(bench.session.deniedCount == 2)
    }

    @Test("still says first that something is not allowed")
    func policyFirst() throws {
        var bench = try Self.open()
        bench.session.drain()
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(1, "test.shutdown")))
        #expect(refusal == (1, "AccessDenied"))
    }

    @Test("passes the answers to open calls, and events until then; then it ends subscriptions of both sides, once")
    func finishing() throws {
        var bench = try Self.open()
        _ = bench.client(SessionBench.listen(0))
        _ = bench.client(SessionBench.call(1))
        _ = bench.server(SessionBench.listen(3, "window.onFocus"))
        bench.session.drain()
        var tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks == nil)
        let event = bench.server(IPCMessage.event(id: 0, payload: 1))
        #expect(event == .forward)
        #expect(bench.session.unansweredCallCount == 1)
        let answer = bench.server(IPCMessage.success(id: 1, result: 2))
        #expect(answer == .forward)
        tasks = bench.session.finishDraining(at: bench.now)
        #expect(
            tasks == [
                .tellServer(0, SessionBench.frame(IPCMessage.unlisten(id: 0))),
                .tellClient(SessionBench.frame(IPCMessage.unlisten(id: 3))),
            ]
        )
        tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks?.isEmpty == true)
        let late = bench.server(IPCMessage.event(id: 0, payload: 2))
        #expect(late == .swallow)
    }

    @Test("lets a server ask the client what an open call may need, and nothing after that")
    func serversRequests() throws {
        var bench = try Self.open()
        _ = bench.client(SessionBench.call(1))
        bench.session.drain()
        let needed = bench.server(SessionBench.call(4, "window.show"))
        #expect(needed == .forward)
        _ = bench.server(IPCMessage.success(id: 1, result: 2))
        let tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks == nil, "the server waits for the client's answer")
        guard case .deny(let answer, _) = bench.server(SessionBench.call(5, "window.show")) else {
            Issue.record("the server's call passes")
            return
        }
        #expect(try SessionBench.failure(answer) == (5, "Draining"))
        _ = bench.client(IPCMessage.success(id: 4, result: 1))
        let last = bench.session.finishDraining(at: bench.now)
        #expect(last?.isEmpty == true)
    }

    @Test("does not wait for a server to answer what the gateway has answered itself")
    func answeredCalls() throws {
        var bench = try Self.open()
        _ = bench.client(SessionBench.call(1, "test.slow"))
        bench.session.drain()
        let tasks = bench.wait(5_000_000_000)
        #expect(tasks.count == 2)
        #expect(bench.session.unansweredCallCount == 0)
        let last = bench.session.finishDraining(at: bench.now)
        #expect(last?.isEmpty == true)
    }

    @Test("waits for the answer to a call that was cancelled, which nobody would miss")
    func cancelledCalls() throws {
        var bench = try Self.open()
        _ = bench.client(SessionBench.call(1))
        bench.session.drain()
        _ = bench.client(IPCMessage.cancel(id: 1))
        var tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks == nil)
        #expect(bench.session.unansweredCallCount == 0)
        _ = bench.server(IPCMessage.failure(id: 1, name: "Canceled", message: "Canceled", stack: nil))
        tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks?.isEmpty == true)
    }

    @Test("gives late denials their time")
    func delayedAnswers() throws {
        var terms = SessionBench.terms()
        terms.answers.denial = .unknownChannel
        var bench = try SessionBench(terms)
        _ = bench.client(SessionBench.call(1, "secret.get"))
        bench.session.drain()
        var tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks == nil)
        #expect(bench.session.unansweredCallCount == 1)
        _ = bench.wait(1_000_000_000)
        tasks = bench.session.finishDraining(at: bench.now)
        #expect(tasks?.isEmpty == true)
    }

    @Test("records what it refuses, and how subscriptions end")
    func records() throws {
        var terms = SessionBench.terms()
        terms.recording = RequestRecording()
        var bench = try SessionBench(terms)
        _ = bench.session.openUpstream(0)
        _ = bench.client(SessionBench.listen(0))
        bench.session.drain()
        _ = bench.client(SessionBench.call(1))
        _ = bench.session.finishDraining(at: bench.now)
        #expect(bench.session.takeRecords().map(\.outcome) == [.open, .draining, .closed])
    }
}
