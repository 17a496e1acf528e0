// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("With a server or client that does not keep up", .blocking)
struct SlownessTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    /// A client and the server it is connected to, which does not read.
    private static func pair(
        _ configure: (inout GatewayConfigurationText) -> Void = { _ in }
    ) throws -> (bench: GatewayBench, client: TestClient, server: UpstreamConnection) {
        let pair = try ClosingTests.pair(configure)
        pair.server.setPaused(true)
        return pair
    }

    /// Calls of 64 KiB each.
    private static func calls(_ count: UInt64) -> [UInt8] {
        let payload = IPCValue.buffer([UInt8](repeating: 0x61, count: 64 << 10))
        return (0..<count).flatMap { Sample.call($0, payload) }
    }

    @Test(
        "every request that was accepted reaches the server, although the client has gone meanwhile",
        arguments: [true, false]
    )
    func requestsOfOneWhoLeft(finishes: Bool) throws {
        let (bench, client, server) = try Self.pair {
            $0.limits = ["queueBytes": "8MiB"]
            $0.clients = [
                "{ match: { uri: \"**\" }, context: \"remote:alice\", allow: [{ channel: sample, call: [echo] }] }"
            ]
        }
        let calls = Self.calls(40)
        client.send(calls + Frame.regular(IPCMessage.call(id: 99, channel: "denied", command: "x")).encoded())
        // The gateway answers this one itself, when it has accepted everything before it.
        _ = try client.frame(1)
        if finishes { client.finishSending() }
        client.disappear(reset: !finishes)
        // The answer meets a socket that is gone.
        try? server.send(Sample.answer(0))
        try? server.send(Sample.answer(1))
        server.setPaused(false)
        let received = try server.receiveToEnd(within: .seconds(20))
        #expect(received.count == Self.opening.count + calls.count, "\(bench.gateway.closings)")
        let isSame = received == Self.opening + calls
        #expect(isSame)
    }

    @Test("every request reaches a server that had finished sending before")
    func serverFinishedFirst() throws {
        let (bench, client, server) = try Self.pair { $0.limits = ["queueBytes": "8MiB"] }
        server.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        let calls = Self.calls(40)
        client.send(calls)
        client.finishSending()
        server.setPaused(false)
        // Compared outside the macro, which would look for the difference between megabytes.
        let isSame = try server.receiveToEnd(within: .seconds(20)) == Self.opening + calls
        #expect(isSame)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("a hang-up that cannot be read yet costs no processor time")
    func hangUpWhileFull() throws {
        let (bench, client, server) = try Self.pair { $0.limits = ["queueBytes": "64KiB"] }
        server.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        client.send(Self.calls(16))
        client.finishSending()
        let witness = try bench.open()
        let before = try bench.gateway.usage()
        #expect(!witness.receiveSome(milliseconds: 1_000))
        let ticks = try bench.gateway.usage().processorTicks - before.processorTicks
        #expect(ticks < 20, "\(ticks) hundredths of a second in one second")
        server.setPaused(false)
        let isSame = try server.receiveToEnd(within: .seconds(20)) == Self.opening + Self.calls(16)
        #expect(isSame)
    }

    @Test("a server that takes nothing for too long ends the connection, and so does a client")
    func stalls() throws {
        let slowServer = try Self.pair {
            $0.limits = ["queueBytes": "64KiB"]
            $0.timeouts = ["stall": "500ms"]
        }
        slowServer.client.send(Self.calls(16))
        #expect(try slowServer.bench.gateway.waitForClosings(1)["reason"] == "stall-timeout")

        let slowClient = try Self.pair { $0.timeouts = ["stall": "500ms"] }
        let sender = slowClient.server
        sender.setPaused(false)
        _ = try Sample.subscribe(slowClient.client, sender)
        let events = [UInt8](Sample.event(0, .buffer([UInt8](repeating: 1, count: 12 << 20))))
        // The gateway stops taking it when its queue and the system's are full; then it closes.
        try? sender.send(events + events)
        #expect(try slowClient.bench.gateway.waitForClosings(1)["reason"] == "stall-timeout")
    }
}
