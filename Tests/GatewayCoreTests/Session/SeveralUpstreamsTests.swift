// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A session with several servers")
struct SeveralUpstreamsTests {
    private static let window = "window.show"

    @Test("sends each channel's requests, and what belongs to them, to its server")
    func routes() throws {
        var bench = try SessionBench.withTwo()
        let actions = [
            bench.client(SessionBench.call(0)), bench.client(SessionBench.call(1, "other.get")),
            bench.client(SessionBench.listen(2, "other.onPing")), bench.client(IPCMessage.cancel(id: 0)),
            bench.client(IPCMessage.cancel(id: 1)), bench.client(IPCMessage.unlisten(id: 2)),
        ]
        let targets = [0, 1, 1, 0, 1, 1].map { GatewaySession.ClientAction.forward(to: $0) }
        #expect(actions == targets)
    }

    @Test("takes an answer only from the server that was asked")
    func noAnswersOfOthers() throws {
        var bench = try SessionBench.withTwo()
        _ = bench.client(SessionBench.call(0))
        _ = bench.client(SessionBench.listen(1, "other.onPing"))
        let forged = bench.server(IPCMessage.success(id: 0, result: 1), 1)
        #expect(forged == .swallow)
        let forgedEvent = bench.server(IPCMessage.event(id: 1), 0)
        #expect(forgedEvent == .swallow)
        let answer = bench.server(IPCMessage.success(id: 0, result: 1), 0)
        #expect(answer == .forward)
        let event = bench.server(IPCMessage.event(id: 1), 1)
        #expect(event == .forward)
    }

    @Test("gives requests of servers ids of their own at the client, and gives answers the servers' ids back")
    func renumbers() throws {
        var bench = try SessionBench.withTwo()
        // Both count from zero.
        let first = bench.server(SessionBench.call(0, Self.window), 0)
        #expect(first == .replace(SessionBench.frame(SessionBench.call(0, Self.window))))
        let second = bench.server(SessionBench.call(0, Self.window), 1)
        #expect(second == .replace(SessionBench.frame(SessionBench.call(1, Self.window))))
        let listen = bench.server(SessionBench.listen(1, "window.onFocus"), 1)
        #expect(listen == .replace(SessionBench.frame(SessionBench.listen(2, "window.onFocus"))))

        let answer = bench.client(IPCMessage.success(id: 1, result: "b"))
        #expect(answer == .replace(SessionBench.frame(IPCMessage.success(id: 0, result: "b")), to: 1))
        let event = bench.client(IPCMessage.event(id: 2, payload: 7))
        #expect(event == .replace(SessionBench.frame(IPCMessage.event(id: 1, payload: 7)), to: 1))
        let cancel = bench.server(IPCMessage.cancel(id: 0), 0)
        #expect(cancel == .replace(SessionBench.frame(IPCMessage.cancel(id: 0))))
        let end = bench.server(IPCMessage.unlisten(id: 1), 1)
        #expect(end == .replace(SessionBench.frame(IPCMessage.unlisten(id: 2))))
        // The second server's id is free again, the first's is not before it has its answer.
        let again = bench.server(SessionBench.call(0, Self.window), 1)
        #expect(again == .replace(SessionBench.frame(SessionBench.call(3, Self.window))))
        guard case .close = bench.server(SessionBench.call(0, Self.window), 0) else {
            Issue.record("an open id was taken again")
            return
        }
    }

    @Test("answers calls of a lost server, calls off what it asked, and leaves the others alone")
    func loss() throws {
        var bench = try SessionBench.withTwo()
        _ = bench.client(SessionBench.call(0))
        _ = bench.client(SessionBench.call(1, "other.get"))
        _ = bench.client(SessionBench.call(2, "other.get"))
        _ = bench.client(IPCMessage.cancel(id: 2))
        _ = bench.server(SessionBench.call(5, Self.window), 1)
        _ = bench.server(SessionBench.listen(6, "window.onFocus"), 1)
        let tasks = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        guard tasks.count == 1, case .tellClient(let frames) = tasks[0] else {
            Issue.record("not what is to be done: \(tasks)")
            return
        }
        let names = try SessionBench.messages(frames).map { message in
            switch message {
            case .failure(let id, let error): "\(id) \(error["name"]?.string?.description ?? "")"
            case .cancel(let id): "cancel \(id)"
            case .unlisten(let id): "unlisten \(id)"
            default: "\(message)"
            }
        }
        #expect(names == ["1 UpstreamLost", "2 UpstreamLost", "cancel 0", "unlisten 1"])
        // What comes late is about nothing.
        let late = bench.client(IPCMessage.success(id: 0, result: 1))
        #expect(late == .swallow)
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(3, "other.get")))
        #expect(refusal == (3, "UpstreamUnavailable"))
        let other = bench.client(SessionBench.call(4))
        #expect(other == .forward(to: 0))
        let answer = bench.server(IPCMessage.success(id: 0, result: 1), 0)
        #expect(answer == .forward)
        // The ids that the client has seen are not used again.
        bench.now += 1_000_000_000
        _ = bench.client(SessionBench.call(7, "other.get"))
        _ = bench.session.openUpstream(1)
        let request = bench.server(SessionBench.call(0, Self.window), 1)
        #expect(request == .replace(SessionBench.frame(SessionBench.call(2, Self.window))))
    }

    @Test("subscribes again when a lost server is back, and tries by itself while somebody listens")
    func subscribesAgain() throws {
        var bench = try SessionBench.withTwo()
        _ = bench.client(SessionBench.listen(0, "other.onPing"))
        _ = bench.client(SessionBench.listen(1, "other.onPing"))
        _ = bench.client(IPCMessage.unlisten(id: 0))
        let tasks = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        #expect(tasks == [], "the protocol cannot tell a listener that nothing comes for a while")
        // While it is away, subscriptions wait and can be ended.
        let third = bench.client(SessionBench.listen(2, "other.onPing"))
        let fourth = bench.client(SessionBench.listen(3, "other.onPing"))
        let unlisten = bench.client(IPCMessage.unlisten(id: 3))
        #expect([third, fourth, unlisten] == [.swallow, .swallow, .swallow])
        #expect(bench.session.nextDeadline == bench.now + 100_000_000)
        let due = bench.wait(100_000_000)
        #expect(due == [.dial(1)])
        let opening = bench.session.openUpstream(1)
        let expected =
            SessionBench.frame(IPCMessage.context("remote:alice")) + GatewaySession.initialize
            + SessionBench.frame(SessionBench.listen(1, "other.onPing"))
            + SessionBench.frame(SessionBench.listen(2, "other.onPing"))
        #expect(opening == expected)
        _ = bench.server(IPCMessage.initialize, 1)
        let event = bench.server(IPCMessage.event(id: 1), 1)
        #expect(event == .forward)
        let ended = bench.client(IPCMessage.unlisten(id: 2))
        #expect(ended == .forward(to: 1))
    }

    @Test("waits longer and longer for a server that does not come back, and not at all when nobody wants it")
    func backOff() throws {
        var bench = try SessionBench.withTwo()
        _ = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        #expect(bench.session.nextDeadline == .max)
        _ = bench.client(SessionBench.listen(0, "other.onPing"))
        var pauses: [UInt64] = []
        for _ in 0..<12 {
            let pause = bench.session.nextDeadline - bench.now
            pauses.append(pause / 1_000_000)
            let due = bench.wait(pause)
            #expect(due == [.dial(1)])
            _ = bench.session.openUpstream(1)
            _ = bench.session.lostUpstream(1, wasReached: false, at: bench.now)
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 12800, 15000, 15000, 15000, 15000])
        _ = bench.wait(15_000_000_000)
        _ = bench.session.openUpstream(1)
        _ = bench.server(IPCMessage.initialize, 1)
        // One that falls over what it finds when it comes is no better than one that does not come.
        _ = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        #expect(bench.session.nextDeadline == bench.now + 15_000_000_000)
        _ = bench.wait(15_000_000_000)
        _ = bench.session.openUpstream(1)
        _ = bench.server(IPCMessage.initialize, 1)
        bench.now += 5_000_000_000
        _ = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        #expect(bench.session.nextDeadline == bench.now + 100_000_000)
    }

    @Test("tries a lost server for its subscriptions, even when the client was refused just then")
    func refusedMeanwhile() throws {
        var terms = SessionBench.terms(upstreams: SessionBench.two)
        terms.clientLimits.callsOutstanding = 1
        var bench = try SessionBench(terms)
        _ = bench.session.openUpstream(1)
        _ = bench.client(SessionBench.listen(0, "other.onPing"))
        _ = bench.client(SessionBench.call(1))
        _ = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        bench.now += 100_000_000
        _ = bench.client(SessionBench.call(2, "other.get"))
        let due = bench.session.expire(at: bench.now)
        #expect(due == [.dial(1)])
    }

    @Test("says Busy for a server whose queue is full, lets its listens wait, and passes what belongs to open requests")
    func busy() throws {
        var bench = try SessionBench.withTwo()
        _ = bench.client(SessionBench.call(0, "other.get"))
        let nothing = bench.session.setFull(1, true)
        #expect(nothing == [])
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(1, "other.get")))
        #expect(refusal == (1, "Busy"))
        let listen = bench.client(SessionBench.listen(2, "other.onPing"))
        #expect(listen == .swallow)
        let cancel = bench.client(IPCMessage.cancel(id: 0))
        #expect(cancel == .forward(to: 1))
        let other = bench.client(SessionBench.call(3))
        #expect(other == .forward(to: 0))
        let waiting = bench.session.setFull(1, false)
        #expect(waiting == SessionBench.frame(SessionBench.listen(2, "other.onPing")))
        let call = bench.client(SessionBench.call(4, "other.get"))
        #expect(call == .forward(to: 1))
    }

    @Test("answers calls of a channel that no server has")
    func noRoute() throws {
        let upstreams = [
            GatewayConfiguration.Upstream(name: "a", unix: "a", channels: [SessionBench.glob("a")], whenLost: .redial),
            GatewayConfiguration.Upstream(name: "o", unix: "o", channels: [SessionBench.glob("o*")], whenLost: .redial),
        ]
        var bench = try SessionBench(SessionBench.terms(upstreams: upstreams))
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(0)))
        #expect(refusal == (0, "Unknown channel"))
        let other = bench.client(SessionBench.call(1, "other.get"))
        #expect(other == .forward(to: 1))
    }
}
