// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Tokens of sessions")
struct SessionTokenTests {
    private static func token(_ seed: UInt64, keeper: String = "g1") -> SessionToken {
        var generator = SeededGenerator(seed: seed)
        return SessionToken(keeper: keeper, using: &generator)
    }

    @Test("A token is read as it was written, and different ones differ")
    func roundTrip() throws {
        for seed in 0..<100 as Range<UInt64> {
            let token = Self.token(seed)
            #expect(SessionToken(token.description) == token)
            #expect(token.description.utf8.count == 2 + 1 + 32)
            #expect(token != Self.token(seed + 1))
            #expect(token != Self.token(seed, keeper: "g2"))
        }
        #expect(Self.token(1, keeper: "a.b").keeper == "a.b")
    }

    @Test(
        "Text that no token is written as is none",
        arguments: [
            "", ".", "g1", "g1.", ".00000000000000000000000000000000", "g1.0000000000000000000000000000000",
            "g1.0000000000000000000000000000000g", "g1.0000000000000000000000000000000A",
            "g1.+000000000000000000000000000000", "g1-00000000000000000000000000000000",
        ]
    )
    func malformed(_ text: String) {
        #expect(SessionToken(text) == nil)
    }
}
