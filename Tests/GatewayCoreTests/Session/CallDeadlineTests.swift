// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("The deadline of a call")
struct CallDeadlineTests {
    @Test("cancels it at the server and answers the client; what the server says later is dropped")
    func expires() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.call(0, "test.slow"))
        #expect(bench.session.nextDeadline == bench.now + 5_000_000_000)
        let early = bench.wait(4_999_999_999)
        #expect(early == [])
        let tasks = bench.wait(1)
        guard tasks.count == 2, case .tellServer(0, let cancel) = tasks[0], case .tellClient(let answer) = tasks[1]
        else {
            Issue.record("not what is due: \(tasks)")
            return
        }
        #expect(cancel == SessionBench.frame(IPCMessage.cancel(id: 0)))
        let failure = try SessionBench.failure(answer)
        #expect(failure == (0, "DeadlineExceeded"))
        let cancelled = bench.client(IPCMessage.cancel(id: 0))
        #expect(cancelled == .swallow)
        guard case .close = bench.client(SessionBench.call(0)) else {
            Issue.record("the id is open until the server has answered")
            return
        }
        let late = bench.server(IPCMessage.success(id: 0, result: 1))
        #expect(late == .swallow)
        #expect(bench.session.nextDeadline == .max)
    }

    @Test("does not matter to a call that was answered, nor to a later one with its id")
    func answered() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.call(0, "test.slow"))
        _ = bench.server(IPCMessage.success(id: 0, result: 1))
        _ = bench.wait(1_000_000_000)
        _ = bench.client(SessionBench.call(0, "test.slow"))
        let first = bench.wait(4_000_000_000)
        #expect(first == [])
        let second = bench.wait(1_000_000_000)
        #expect(second.count == 2)
    }

    @Test("is the shortest of the rules that allow the call, whatever their order")
    func shortest() throws {
        let rules = [
            AccessPolicy.Rule(channel: SessionBench.glob("test"), call: [SessionBench.glob("*")], deadline: 3),
            AccessPolicy.Rule(channel: SessionBench.glob("*"), call: [SessionBench.glob("slow")], deadline: 2),
            AccessPolicy.Rule(channel: SessionBench.glob("test"), call: [SessionBench.glob("slow")]),
            AccessPolicy.Rule(channel: SessionBench.glob("other"), call: [SessionBench.glob("*")], deadline: 1),
        ]
        for rotation in rules.indices {
            let policy = AccessPolicy(rules: Array(rules[rotation...] + rules[..<rotation]))
            let decision = policy.judge(
                .call,
                channel: Array("test".utf8).span,
                name: Array("slow".utf8).span,
                argument: [0].span,
                limits: IPCLimits()
            )
            #expect(decision.deadline == 2)
        }
    }

    @Test("is kept for as many calls as are open, and not for those that were answered")
    func bounded() throws {
        var bench = try SessionBench()
        for id in UInt64(0)..<10_000 {
            _ = bench.client(SessionBench.call(id, "test.slow"))
            _ = bench.server(IPCMessage.success(id: id))
            bench.now += 1
        }
        #expect(bench.session.deadlines.count < 200)
    }

    @Test("comes in order, however many there are")
    func inOrder() {
        var queue = DeadlineQueue()
        var requests = OpenRequests()
        var generator = SystemRandomNumberGenerator()
        let deadlines = (UInt64(0)..<500).map { _ in UInt64.random(in: 0..<1000, using: &generator) }
        for (id, deadline) in deadlines.enumerated() {
            _ = requests.open(UInt64(id), .init(state: .call, upstream: 0, remoteID: 0, deadline: deadline))
            queue.add(deadline, of: UInt64(id), in: requests)
        }
        var popped: [UInt64] = []
        while let entry = queue.popDue(at: 1000) { popped.append(entry.deadline) }
        let isSorted = popped == deadlines.sorted()
        #expect(isSorted)
    }
}
