// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Two sessions over connections that break")
struct LossyPairTests {
    @Test("deliver every message once and in order, and keep no more than their windows", arguments: 0..<8)
    func schedules(part: UInt64) {
        var counts = LossyPair.Counts()
        for seed in part * 250..<(part + 1) * 250 {
            var pair = LossyPair(seed: seed)
            pair.run(steps: 400)
            counts += pair.counts
            #expect(pair.problem == nil, "seed \(seed)")
        }
        // Otherwise nothing would have been tested.
        #expect(counts.messages > 15_000, "\(counts)")
        #expect(counts.cuts > 500 && counts.takeOvers > 200 && counts.timeOuts > 10, "\(counts)")
        #expect(counts.replayRequests > 100 && counts.pauses > 100 && counts.fullWindows > 100, "\(counts)")
    }
}
