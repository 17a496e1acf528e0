// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCTransport
import Testing

@Suite("The waits between attempts")
struct BackOffTests {
    @Test("are nothing at first, then grow to the longest")
    func growth() {
        let backOff = BackOff(first: .milliseconds(250), factor: 2, longest: .seconds(30), jitter: 0.5)
        let waits = (0..<12).map { backOff.wait(beforeRound: $0, chance: 1) }
        let expected: [Duration] = [
            .zero, .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8),
            .seconds(16), .seconds(30), .seconds(30), .seconds(30), .seconds(30),
        ]
        #expect(waits == expected)
    }

    @Test("leave a part of them to chance")
    func jitter() {
        let backOff = BackOff(jitter: 0.5)
        #expect(backOff.wait(beforeRound: 3, chance: 0) == .milliseconds(500))
        #expect(backOff.wait(beforeRound: 3, chance: 0.5) == .milliseconds(750))
        #expect(backOff.wait(beforeRound: 3, chance: 7) == .seconds(1))
        #expect(BackOff(jitter: 0).wait(beforeRound: 3, chance: 0) == .seconds(1))
    }

    @Test("are sensible whatever the numbers are")
    func oddNumbers() {
        #expect(BackOff(first: .seconds(60)).wait(beforeRound: 1, chance: 1) == .seconds(30))
        #expect(BackOff(factor: 0).wait(beforeRound: 1_000, chance: 1) == .milliseconds(250))
        // Never at once for ever.
        #expect(BackOff(first: .zero, factor: 1).wait(beforeRound: 50, chance: 1) == .milliseconds(1))
        #expect(BackOff(longest: .zero, jitter: 1).wait(beforeRound: 50, chance: 0) == .milliseconds(1))
        #expect(BackOff().wait(beforeRound: .max, chance: 1) == .seconds(30))
    }
}
