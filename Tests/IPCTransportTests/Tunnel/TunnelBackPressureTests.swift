// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import Testing

@Suite("Back-pressure in a tunnel")
struct TunnelBackPressureTests {
    private static let large = 100_000

    /// A message that can be told apart from others.
    private static func message(_ number: Int) -> [UInt8] {
        var message = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: large)
        message[0] = UInt8(number >> 8)
        return message
    }

    /// Sends until nothing more is taken.
    ///
    /// - Returns: How many messages that were.
    private static func fill(_ end: any MessagePassingProtocol) async throws -> Int {
        var count = 0
        var calm = 0
        let clock = ContinuousClock()
        // What is congested for long is not only waiting for its turn.
        while calm < 100 {
            if end.isCongested {
                calm += 1
                try await clock.sleep(for: .milliseconds(1))
            } else {
                calm = 0
                end.send(message(count))
                count += 1
                // Without end, if nothing held it back.
                try #require(count < 1_000)
            }
        }
        return count
    }

    @Test("reaches the program when the gateway takes nothing, and everything comes when it does")
    func outgoing() async throws {
        let bench = TunnelBench()
        bench.gateway.setDelivering(false)
        let count = try await Self.fill(bench.program)
        // Three queues of a mebibyte at most: of either pair, and what waited for the session.
        #expect(count > 20 && count < 40)
        bench.gateway.send([1])
        try await eventually("the other direction is not held up") { bench.programReceiver.count == 1 }
        bench.gateway.setDelivering(true)
        try await eventually("everything comes") { bench.gatewayReceiver.count == count }
        let isSame = bench.gatewayReceiver.messages == (0..<count).map(Self.message)
        #expect(isSame)
        bench.program.close(.disposed)
        _ = try await bench.finish()
    }

    @Test("reaches the gateway when the program takes nothing, and everything comes when it does")
    func incoming() async throws {
        let bench = TunnelBench()
        bench.program.send([1])
        bench.program.setDelivering(false)
        try await eventually("there is a session") { bench.gatewayReceiver.count == 1 }
        let count = try await Self.fill(bench.gateway)
        #expect(count > 20 && count < 40)
        bench.program.send([2])
        try await eventually("the other direction is not held up") { bench.gatewayReceiver.count == 2 }
        bench.program.setDelivering(true)
        try await eventually("everything comes") { bench.programReceiver.count == count }
        let isSame = bench.programReceiver.messages == (0..<count).map(Self.message)
        #expect(isSame)
        bench.gateway.close(.disposed)
        _ = try await bench.finish()
    }

    @Test("reaches the program while there is no session yet")
    func early() async throws {
        let bench = TunnelBench(isOpen: false)
        let count = try await Self.fill(bench.program)
        #expect(count < 20)
        #expect(bench.dialCount == 1)
        bench.open()
        try await eventually("everything comes") { bench.gatewayReceiver.count == count }
        bench.program.close(.disposed)
        let summary = try await bench.finish()
        #expect(summary.sent.messages == count)
    }

    @Test("does not keep a session from ending", arguments: [true, false])
    func ending(localEnds: Bool) async throws {
        let bench = TunnelBench()
        bench.gateway.setDelivering(false)
        bench.program.setDelivering(false)
        _ = try await Self.fill(bench.program)
        _ = try await Self.fill(bench.gateway)
        if localEnds {
            bench.client.stop()
        } else {
            bench.gateway.close(.disposed)
            bench.program.setDelivering(true)
        }
        _ = try await bench.finish()
    }
}
