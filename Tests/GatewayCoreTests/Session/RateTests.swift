// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("Limits of a client")
struct RateTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("on its rate let a second's worth pass at once, and then the steady rate")
    func rate() throws {
        var terms = SessionBench.terms()
        terms.clientLimits.callsPerSecond = 10
        var bench = try SessionBench(terms)
        var passed = 0
        for id in UInt64(0)..<100 where bench.client(SessionBench.call(id)) == .forward(to: 0) { passed += 1 }
        #expect(passed == 10)
        let refusal = try SessionBench.refusal(bench.client(SessionBench.call(100)))
        #expect(refusal == (100, "LimitExceeded"))
        for id in UInt64(101)..<201 {
            bench.now += Self.second / 20
            if bench.client(SessionBench.call(id)) == .forward(to: 0) { passed += 1 }
        }
        #expect(passed == 60)
    }

    @Test("are shared by the connections of an identity, where they are the identity's")
    func shared() throws {
        let load = IdentityLoad(limits: .init(callsOutstanding: 3, callsPerSecond: 5))
        var benches = [try SessionBench(), try SessionBench()]
        for index in 0..<2 { benches[index].session.share(load) }
        var passed = 0
        for id in UInt64(0)..<4 {
            for index in 0..<2 where benches[index].client(SessionBench.call(id)) == .forward(to: 0) { passed += 1 }
        }
        #expect(passed == 3)
        // An answer makes room for one; the end of a connection for all of its calls.
        _ = benches[0].server(IPCMessage.success(id: 0))
        benches[1].now += 10 * Self.second
        let one = benches[1].client(SessionBench.call(10))
        #expect(one == .forward(to: 0))
        let refusal = try SessionBench.refusal(benches[1].client(SessionBench.call(11)))
        #expect(refusal == (11, "LimitExceeded"))
        benches[1].session.close(at: 0)
        benches[0].now += 10 * Self.second
        let afterwards = benches[0].client(SessionBench.call(12))
        #expect(afterwards == .forward(to: 0))
    }

    @Test("on subscriptions drop what is beyond")
    func listens() throws {
        var terms = SessionBench.terms()
        terms.clientLimits.listens = 1
        var bench = try SessionBench(terms)
        _ = bench.client(SessionBench.listen(0))
        guard case .deny([], let denial) = bench.client(SessionBench.listen(1)) else {
            Issue.record("a subscription beyond the limit passed")
            return
        }
        #expect(denial.cause == .limit("limits.listens"))
    }

    @Test("hold for what its servers ask of it, too")
    func reverse() throws {
        var terms = SessionBench.terms()
        terms.clientLimits.callsOutstanding = 1
        var bench = try SessionBench(terms)
        _ = bench.server(SessionBench.call(0, "window.show"))
        guard case .deny(let answer, _) = bench.server(SessionBench.call(1, "window.show")) else {
            Issue.record("a call beyond the limit passed")
            return
        }
        let failure = try SessionBench.failure(answer)
        #expect(failure == (1, "LimitExceeded"))
    }

    @Test("of several threads give as much, whichever thread's clock is behind")
    func clocksOfThreads() {
        let shared = SharedTokenBucket(perSecond: 3)
        let now: UInt64 = 5_000_000_000
        let taken = [now, now - 700_000, now - 900_000, now - 100].map { shared.take(1, at: $0) }
        #expect(taken == [true, true, true, false])
        #expect(shared.take(1, at: now + 333_333_400))
    }

    @Test("on bytes are on credit: reading pauses until it is paid back")
    func bytes() {
        var bucket = TokenBucket(perSecond: 1000)
        #expect(bucket.charge(1000, at: Self.second) <= Self.second)
        #expect(bucket.charge(500, at: Self.second) == Self.second + Self.second / 2)
        #expect(bucket.charge(0, at: 2 * Self.second) <= 2 * Self.second)
        let shared = SharedTokenBucket(perSecond: 1000)
        #expect(shared.charge(1500, at: Self.second) == Self.second + Self.second / 2)
        #expect(!shared.take(1, at: Self.second))
        #expect(shared.isInUse(at: 2 * Self.second))
        #expect(!shared.isInUse(at: 10 * Self.second))
    }

    @Test("are forgotten with the last connection, once a new start would be no gift")
    func idle() {
        let load = IdentityLoad(limits: .init(clients: 1, callsPerSecond: 10))
        #expect(load.isIdle(at: 0))
        #expect(load.addClient())
        #expect(!load.addClient())
        #expect(!load.isIdle(at: 0))
        #expect(load.takeCall(at: Self.second))
        load.removeClient()
        #expect(!load.isIdle(at: Self.second))
        #expect(load.isIdle(at: 2 * Self.second))
    }
}
