// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("Answers, cancellations and events")
struct OpenRequestTests {
    private static let forward = GatewaySession.ClientAction.forward(to: 0)

    @Test("pass once for a call of the client, and never for one that is not open")
    func answersOnce() throws {
        var bench = try SessionBench()
        let early = bench.server(IPCMessage.success(id: 4, result: 1))
        #expect(early == .swallow)
        _ = bench.client(SessionBench.call(4))
        let answer = bench.server(IPCMessage.success(id: 4, result: 1))
        #expect(answer == .forward)
        for late in [
            IPCMessage.success(id: 4, result: 2), IPCMessage.failure(id: 4, name: "E", message: "m"),
            IPCMessage.failureValue(id: 4, value: 3), IPCMessage.event(id: 4, payload: 4),
        ] {
            let action = bench.server(late)
            #expect(action == .swallow)
        }
        #expect(bench.session.strayCount == 5)
        #expect(bench.session.framesFromServer == 1)
    }

    @Test("pass for a cancelled call, which stays open until its answer")
    func cancelledStaysOpen() throws {
        var terms = SessionBench.terms()
        terms.clientLimits.callsOutstanding = 3
        var bench = try SessionBench(terms)
        // Call and cancel, faster than answers come.
        for id in UInt64(0)..<3 {
            let call = bench.client(SessionBench.call(id))
            let cancel = bench.client(IPCMessage.cancel(id: id))
            let again = bench.client(IPCMessage.cancel(id: id))
            #expect(call == Self.forward)
            #expect(cancel == Self.forward)
            #expect(again == .swallow, "a call is cancelled once")
        }
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(3)))
        #expect(refusal == (3, "LimitExceeded"))
        let answer = bench.server(IPCMessage.failure(id: 1, name: "Canceled", message: "Canceled"))
        #expect(answer == .forward)
        let call = bench.client(SessionBench.call(4))
        #expect(call == Self.forward)
    }

    @Test("of events pass only while the client listens")
    func events() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.listen(2))
        let event = IPCMessage.event(id: 2, payload: 1)
        let during = bench.server(event)
        #expect(during == .forward)
        let wrong = bench.server(IPCMessage.success(id: 2, result: 1))
        #expect(wrong == .swallow, "a subscription is not a call")
        let cancel = bench.client(IPCMessage.cancel(id: 2))
        #expect(cancel == .swallow, "nor is it cancelled like one")
        let end = bench.client(IPCMessage.unlisten(id: 2))
        #expect(end == Self.forward)
        let after = bench.server(event)
        #expect(after == .swallow)
        // VS Code subscribes again under the same id.
        let again = bench.client(SessionBench.listen(2))
        #expect(again == Self.forward)
        let afterwards = bench.server(event)
        #expect(afterwards == .forward)
    }

    @Test("of others' requests do not pass: a cancellation of an id that was never asked, and one of the server's")
    func strangersIDs() throws {
        var bench = try SessionBench()
        _ = bench.server(SessionBench.call(9, "window.show"))
        for message in [
            IPCMessage.cancel(id: 9), IPCMessage.unlisten(id: 9), IPCMessage.cancel(id: 0), IPCMessage.success(id: 0),
            IPCMessage.failure(id: 1, name: "E", message: "m"), IPCMessage.event(id: 9),
        ] {
            let action = bench.client(message)
            #expect(action == .swallow)
        }
        #expect(bench.session.strayCount == 6)
        let answer = bench.client(IPCMessage.success(id: 9, result: 1))
        #expect(answer == Self.forward)
        let twice = bench.client(IPCMessage.success(id: 9, result: 1))
        #expect(twice == .swallow)
    }

    @Test("with an id that is open twice end the connection of the client, and part with the server")
    func duplicates() throws {
        for second in [SessionBench.call(5), SessionBench.listen(5)] {
            for first in [SessionBench.call(5), SessionBench.listen(5)] {
                var bench = try SessionBench()
                _ = bench.client(first)
                guard case .close(let reason) = bench.client(second) else {
                    Issue.record("an open id was taken again")
                    return
                }
                #expect(reason.code == .duplicateID)
            }
        }
        var bench = try SessionBench()
        _ = bench.server(SessionBench.call(5, "window.show"))
        guard case .close(let reason) = bench.server(SessionBench.call(5, "window.show")) else {
            Issue.record("an open id was taken again")
            return
        }
        #expect(reason.code == .upstreamMalformed)
    }

    @Test("to denied requests leave nothing open")
    func deniedAreNotOpen() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.call(0, "test.secret"))
        _ = bench.client(SessionBench.listen(1, "test.onSecret"))
        let cancel = bench.client(IPCMessage.cancel(id: 0))
        #expect(cancel == .swallow)
        let unlisten = bench.client(IPCMessage.unlisten(id: 1))
        #expect(unlisten == .swallow)
        let answer = bench.server(IPCMessage.success(id: 0, result: 1))
        #expect(answer == .swallow)
        let event = bench.server(IPCMessage.event(id: 1, payload: 1))
        #expect(event == .swallow)
        let reused = bench.client(SessionBench.call(0))
        #expect(reused == Self.forward)
    }

    @Test("of the client to its server's events pass while the server listens")
    func reverseEvents() throws {
        var bench = try SessionBench()
        _ = bench.server(SessionBench.listen(0, "window.onFocus"))
        let event = bench.client(IPCMessage.event(id: 0, payload: 1))
        #expect(event == Self.forward)
        let end = bench.server(IPCMessage.unlisten(id: 0))
        #expect(end == .forward)
        let late = bench.client(IPCMessage.event(id: 0, payload: 1))
        #expect(late == .swallow)
    }
}
