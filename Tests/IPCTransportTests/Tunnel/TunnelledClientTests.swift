// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import Testing

@Suite("A client in a tunnel")
struct TunnelledClientTests {
    /// Messages that can be told apart.
    private static func messages(_ count: Int, bytes: Int = 8) -> [[UInt8]] {
        (0..<count).map { number in
            (0..<bytes).map { UInt8(truncatingIfNeeded: $0 < 4 ? number >> (8 * $0) : number &* 31 &+ $0) }
        }
    }

    @Test("says everything once and in order, and hears everything, also what was said before there was a session")
    func order() async throws {
        let bench = TunnelBench(isOpen: false)
        let messages = Self.messages(500)
        for message in messages[..<100] { bench.program.send(message) }
        try await eventually("the gateway is dialled") { bench.dialCount == 1 }
        bench.open()
        for message in messages[100...] {
            bench.program.send(message)
            bench.gateway.send(message.reversed())
        }
        try await eventually("everything has come") {
            bench.gatewayReceiver.count == 500 && bench.programReceiver.count == 400
        }
        let isSame = bench.gatewayReceiver.messages == messages
        #expect(isSame)
        let isSameBack = bench.programReceiver.messages == messages[100...].map { $0.reversed() }
        #expect(isSameBack)
        bench.program.close(.disposed)
        let summary = try await bench.finish()
        #expect(summary.sent.messages == 500)
        #expect(summary.sent.bytes == 4_000)
        #expect(summary.received.messages == 400)
        #expect(!summary.isFailure)
        #expect(bench.dialCount == 1)
    }

    @Test("costs no session until it says something")
    func silence() async throws {
        let bench = TunnelBench()
        bench.program.close(.disposed)
        let summary = try await bench.finish()
        #expect(summary.reason == "the client has ended: the peer closed the connection")
        #expect(bench.dialCount == 0)
    }

    @Test("ends its session, behind everything that it has said, when it ends", arguments: [true, false])
    func localEnd(isOpen: Bool) async throws {
        let bench = TunnelBench(isOpen: isOpen)
        let messages = Self.messages(300)
        for message in messages { bench.program.send(message) }
        bench.program.close(.disposed)
        try await eventually("the gateway is dialled") { bench.dialCount == 1 }
        bench.open()
        let summary = try await bench.finish()
        #expect(summary.sent.messages == 300)
        try await eventually("the gateway is told") { bench.gatewayReceiver.end != nil }
        let isSame = bench.gatewayReceiver.messages == messages
        #expect(isSame)
        #expect(bench.gatewayReceiver.end?.code == .closed)
    }

    @Test("keeps its session, when it ends, until the gateway has acknowledged everything")
    func farewell() async throws {
        let bench = TunnelBench()
        bench.setUnacknowledged(1)
        bench.program.send([1])
        try await eventually("it is there") { bench.gatewayReceiver.count == 1 }
        bench.events.yield(.reconnecting(attempt: 1, delay: .seconds(1), reason: "lost"))
        bench.program.close(.disposed)
        try await eventually("it is ending") { bench.client.snapshot.phase == .ending }
        letTimePass(milliseconds: 100)
        #expect(bench.gatewayReceiver.end == nil)
        bench.setUnacknowledged(0)
        _ = try await bench.finish()
        try await eventually("the gateway is told") { bench.gatewayReceiver.end != nil }
    }

    @Test("keeps its session, when it ends, until the gateway can be told")
    func farewellWithoutConnection() async throws {
        let bench = TunnelBench()
        bench.program.send([1])
        try await eventually("it is there") { bench.gatewayReceiver.count == 1 }
        bench.setAway(true)
        bench.program.close(.disposed)
        try await eventually("it is ending") { bench.client.snapshot.phase == .ending }
        letTimePass(milliseconds: 100)
        #expect(bench.gatewayReceiver.end == nil)
        bench.setAway(false)
        _ = try await bench.finish()
        try await eventually("the gateway is told") { bench.gatewayReceiver.end != nil }
    }

    @Test("hears everything that the gateway has said before it ended the session")
    func remoteEnd() async throws {
        let bench = TunnelBench()
        bench.program.send([0])
        try await eventually("there is a session") { bench.gatewayReceiver.count == 1 }
        let messages = Self.messages(300)
        for message in messages { bench.gateway.send(message) }
        bench.gateway.close(.disposed)
        let summary = try await bench.finish()
        #expect(summary.reason == "the gateway has closed the session: the peer closed the connection")
        #expect(!summary.isFailure)
        let isSame = bench.programReceiver.messages == messages
        #expect(isSame)
        #expect(bench.programReceiver.end?.code == .closed)
    }

    @Test("is closed when there is no session for it, and the reason is told")
    func refusal() async throws {
        let bench = TunnelBench(refusal: ConnectionEnd(.refused, "no entry of clients: matches (not-allowed)"))
        bench.program.send([1])
        let summary = try await bench.finish()
        #expect(summary.reason == "no entry of clients: matches (not-allowed)")
        #expect(summary.isFailure)
        #expect(bench.programReceiver.end != nil)
        let failures = bench.happenings.count { if case .failed = $0 { true } else { false } }
        #expect(failures == 1)
    }

    @Test("is ended in order when the tunnel stops, in each of its phases", arguments: 0...3)
    func stopping(phase: Int) async throws {
        let bench = TunnelBench(isOpen: phase != 1)
        if phase > 0 {
            bench.program.send([1])
            try await eventually("the gateway is dialled") { bench.dialCount == 1 }
        }
        if phase > 1 { try await eventually("there is a session") { bench.gatewayReceiver.count == 1 } }
        if phase == 3 {
            bench.setUnacknowledged(7)
            bench.program.close(.disposed)
            try await eventually("it is ending") { bench.client.snapshot.phase == .ending }
        }
        bench.client.stop()
        let summary = try await bench.finish()
        #expect(summary.reason == "the tunnel is stopping")
        #expect(bench.programReceiver.end != nil)
        #expect(bench.dialCount == (phase > 0 ? 1 : 0))
        if phase > 1 { try await eventually("the gateway is told") { bench.gatewayReceiver.end?.code == .closed } }
    }

    @Test("tells how it is, and what happens on the way")
    func phases() async throws {
        let bench = TunnelBench(isOpen: false)
        #expect(bench.client.snapshot.phase == .silent)
        #expect(bench.client.snapshot.statistics == nil)
        bench.program.send([1])
        try await eventually("it is connecting") { bench.client.snapshot.phase == .connecting }
        bench.open()
        try await eventually("it is connected") { bench.client.snapshot.phase == .connected }
        bench.setUnacknowledged(3)
        #expect(bench.client.snapshot.statistics?.messages == 3)
        bench.events.yield(.reconnecting(attempt: 4, delay: .seconds(8), reason: "lost"))
        try await eventually("it is reconnecting") {
            if case .reconnecting(4, _) = bench.client.snapshot.phase { true } else { false }
        }
        bench.events.yield(.reconnected)
        try await eventually("it is connected again") { bench.client.snapshot.phase == .connected }
        bench.setUnacknowledged(0)
        bench.program.close(.disposed)
        _ = try await bench.finish()
        let names = bench.happenings.map { happening in
            switch happening {
            case .connected: "connected"
            case .changed(.reconnecting): "reconnecting"
            case .changed(.reconnected): "reconnected"
            case .ended: "ended"
            default: "other"
            }
        }
        #expect(names == ["connected", "reconnecting", "reconnected", "ended"])
    }
}
