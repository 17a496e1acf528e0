// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@Suite("The two network namespaces of the tests", .blocking)
struct NetworkPairTests {
    @Test("reach each other, unless the cable is pulled")
    func reach() throws {
        let pair: NetworkPair
        do {
            pair = try NetworkPair()
        } catch let error as TestSupportError {
            print("not tested: \(error)")
            return
        }
        // Nobody listens there: that it is refused shows that the other side has answered.
        let dial = ["timeout", "3", "bash", "-c", "echo > /dev/tcp/\(NetworkPair.Side.left.address)/9"]
        let refusal = #expect(throws: TestSupportError.self) { try pair.run(dial, in: .right) }
        #expect("\(refusal, default: "")".contains("refused"))
        try pair.setConnected(false)
        let silence = #expect(throws: TestSupportError.self) { try pair.run(dial, in: .right) }
        #expect(!"\(silence, default: "")".contains("refused"))
        try pair.setConnected(true)
        let again = #expect(throws: TestSupportError.self) { try pair.run(dial, in: .right) }
        #expect("\(again, default: "")".contains("refused"))
    }
}
