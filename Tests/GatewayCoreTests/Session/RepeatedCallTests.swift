// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A call that may be repeated, whose server is lost with it,")
struct RepeatedCallTests {
    private static let second: UInt64 = 1_000_000_000

    /// A session with one server, whose calls `test.echo` and `test.slow` may be repeated.
    private static func bench(_ change: (inout SessionTerms) -> Void = { _ in }) throws -> SessionBench {
        let calls = IdempotentCalls([
            (SessionBench.glob("test"), [SessionBench.glob("echo"), SessionBench.glob("slow")])
        ])
        let main = GatewayConfiguration.Upstream(name: "main", unix: "m", whenLost: .redial, idempotent: calls)
        var terms = SessionBench.terms(upstreams: [main])
        terms.recording = RequestRecording()
        change(&terms)
        var bench = try SessionBench(terms)
        _ = bench.session.openUpstream(0)
        _ = bench.server(IPCMessage.initialize)
        return bench
    }

    /// Ids and names of errors in what the client is told.
    private static func told(_ tasks: [GatewaySession.Task]) throws -> [String] {
        try tasks.flatMap { task -> [String] in
            guard case .tellClient(let frames) = task else { return ["\(task)"] }
            return try SessionBench.messages(frames).map { message in
                guard case .failure(let id, let error) = message else { return "\(message)" }
                return "\(id) \(error["name"]?.string?.description ?? "")"
            }
        }
    }

    /// What the server gets behind context and Initialize when it is back.
    private static func reopen(_ bench: inout SessionBench) -> [UInt8] {
        let opening = SessionBench.frame(IPCMessage.context("remote:alice")) + GatewaySession.initialize
        let bytes = bench.session.openUpstream(0)
        return bytes.starts(with: opening) ? Array(bytes.dropFirst(opening.count)) : bytes
    }

    private static func lose(_ bench: inout SessionBench, wasReached: Bool = true) throws -> [String] {
        try told(bench.session.lostUpstream(0, wasReached: wasReached, at: bench.now))
    }

    @Test("is sent to the next one after the subscriptions, in the order of the calls, and answered once")
    func repeated() throws {
        var bench = try Self.bench()
        for id: UInt64 in [9, 3] { _ = bench.client(SessionBench.call(id)) }
        _ = bench.client(SessionBench.listen(20))
        _ = bench.client(SessionBench.call(5, "other.get"))
        _ = bench.client(SessionBench.call(1))
        _ = bench.client(SessionBench.call(2))
        _ = bench.client(IPCMessage.cancel(id: 2))
        _ = bench.client(SessionBench.call(4))
        _ = bench.server(IPCMessage.success(id: 4, result: 1))
        let told = try Self.lose(&bench)
        #expect(told == ["2 UpstreamLost", "5 UpstreamLost"])
        // While it is away nothing new waits.
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(6)))
        #expect(refusal == (6, "UpstreamUnavailable"))
        guard case .close = bench.client(SessionBench.call(9)) else {
            Issue.record("the id is open while the call waits")
            return
        }
        let due = bench.wait(Self.second / 10)
        #expect(due == [.dial(0)])
        let again = Self.reopen(&bench)
        let expected = [SessionBench.listen(20)] + [9, 3, 1].map { SessionBench.call($0) }
        #expect(again == expected.flatMap { SessionBench.frame($0) })
        for id: UInt64 in [1, 9, 3] {
            let answer = bench.server(IPCMessage.success(id: id, result: 1))
            #expect(answer == .forward)
            let second = bench.server(IPCMessage.success(id: id, result: 1))
            #expect(second == .swallow)
        }
        #expect(bench.session.repeatable.byteCount == 0)
        let repeats = bench.session.takeRecords().filter { $0.repeats > 0 }.map { "\($0.outcome) \($0.repeats)" }
        #expect(repeats == ["ok 1", "ok 1", "ok 1"])
    }

    @Test("is not repeated when no server ever got it, but waits on when only the next dial fails")
    func neverReached() throws {
        var bench = try Self.bench()
        _ = try Self.lose(&bench)
        bench.now += Self.second
        _ = bench.client(SessionBench.call(0))
        let unavailable = try Self.lose(&bench, wasReached: false)
        #expect(unavailable == ["0 UpstreamUnavailable"])
        bench.now += Self.second
        _ = bench.client(SessionBench.call(1))
        _ = Self.reopen(&bench)
        let waits = try Self.lose(&bench)
        #expect(waits == [])
        // Once the dial fails at once, once after the server's queue had the call.
        let atOnce = try Self.lose(&bench, wasReached: false)
        _ = Self.reopen(&bench)
        let later = try Self.lose(&bench, wasReached: false)
        #expect(atOnce + later == [])
        #expect(Self.reopen(&bench) == SessionBench.frame(SessionBench.call(1)))
        _ = bench.server(IPCMessage.success(id: 1))
        #expect(bench.session.takeRecords().map(\.repeats) == [0, 1])
    }

    @Test("is repeated three times, then answered")
    func bound() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0))
        for _ in 0..<3 {
            let told = try Self.lose(&bench)
            #expect(told == [])
            bench.now += Self.second
            #expect(Self.reopen(&bench) == SessionBench.frame(SessionBench.call(0)))
            _ = bench.server(IPCMessage.initialize)
        }
        let told = try Self.lose(&bench)
        #expect(told == ["0 UpstreamLost"])
        #expect(bench.session.takeRecords().map(\.repeats) == [3])
        #expect(Self.reopen(&bench) == [])
    }

    @Test("waits for half a minute, however often the server is dialled in vain")
    func givesUp() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0))
        _ = try Self.lose(&bench)
        let lost = bench.now
        var told: [String] = []
        var dials = 0
        while told.isEmpty, dials < 50 {
            bench.now = bench.session.nextDeadline
            for task in bench.session.expire(at: bench.now) {
                guard task == .dial(0) else {
                    told += try Self.told([task])
                    continue
                }
                dials += 1
                _ = Self.reopen(&bench)
                // A server that is slow to refuse is no reason to wait longer.
                bench.now += Self.second
                told += try Self.lose(&bench, wasReached: false)
            }
        }
        #expect(told == ["0 UpstreamLost"])
        #expect(dials > 5)
        let waited = (bench.now - lost) / Self.second
        #expect((30...32).contains(waited), "\(waited) s")
        #expect(bench.session.nextDeadline == .max)
    }

    @Test("has its deadline all the same")
    func deadline() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0, "test.slow"))
        bench.now += Self.second
        _ = try Self.lose(&bench)
        _ = bench.wait(Self.second)
        _ = try Self.lose(&bench, wasReached: false)
        bench.now += 3 * Self.second
        let due = bench.session.expire(at: bench.now)
        let told = try Self.told(due)
        #expect(told.contains("0 DeadlineExceeded"), "\(told)")
        #expect(Self.reopen(&bench) == [])
        let again = bench.client(SessionBench.call(0))
        #expect(again == .forward(to: 0), "nothing more is heard of the id")
    }

    @Test("is not repeated when the client cancels it; the client is told at once")
    func cancelled() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0))
        _ = try Self.lose(&bench)
        let cancel = bench.client(IPCMessage.cancel(id: 0))
        #expect(cancel == .swallow)
        #expect(bench.session.nextDeadline <= bench.now)
        let told = try Self.told(bench.session.expire(at: bench.now))
        #expect(told == ["0 Canceled"])
        #expect(bench.session.nextDeadline == .max)
        #expect(bench.session.takeRecords().map(\.outcome) == [.cancelled])
        #expect(Self.reopen(&bench) == [])
    }

    @Test("counts as outstanding while it waits")
    func outstanding() throws {
        var bench = try Self.bench { $0.clientLimits.callsOutstanding = 1 }
        _ = bench.client(SessionBench.call(0))
        _ = try Self.lose(&bench)
        bench.now += Self.second
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(1)))
        #expect(refusal == (1, "LimitExceeded"))
        bench.session.close(at: bench.now)
        #expect(bench.session.takeRecords().map(\.outcome) == [.limit, .closed])
    }

    @Test("is kept only as far as there is room, and gives its room to subscriptions")
    func room() throws {
        let size = SessionBench.frame(SessionBench.call(0)).count
        let listen = SessionBench.frame(SessionBench.listen(9)).count
        var bench = try Self.bench { $0.limits.queueBytes = size + 2 * listen - 1 }
        for id in UInt64(0)..<4 {
            let action = bench.client(SessionBench.call(id))
            #expect(action == .forward(to: 0))
        }
        #expect(bench.session.repeatable.byteCount == 3 * size)
        _ = bench.client(SessionBench.listen(9))
        #expect(bench.session.repeatable.byteCount == 0)
        _ = bench.client(SessionBench.call(4))
        let told = try Self.lose(&bench)
        #expect(told == (0...3).map { "\($0) UpstreamLost" })
        // What waits was promised to be repeated.
        guard case .deny(_, let denial) = bench.client(SessionBench.listen(10)) else {
            Issue.record("a subscription passed for which there is no room")
            return
        }
        #expect(denial.cause == .limit("limits.queueBytes"))
        let expected = SessionBench.frame(SessionBench.listen(9)) + SessionBench.frame(SessionBench.call(4))
        #expect(Self.reopen(&bench) == expected)
    }

    @Test("is answered when the client has finished: nobody dials for it again")
    func clientEnded() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0))
        _ = bench.client(SessionBench.call(1))
        _ = bench.server(IPCMessage.success(id: 1))
        _ = try Self.lose(&bench)
        let told = try Self.told(bench.session.clientEnded(at: bench.now))
        #expect(told == ["0 UpstreamLost"])
        var later = try Self.bench()
        _ = later.client(SessionBench.call(0))
        let nothing = later.session.clientEnded(at: later.now)
        #expect(nothing == [])
        let lost = try Self.lose(&later)
        #expect(lost == ["0 UpstreamLost"])
    }
}
