// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

/// Where nothing waits and nothing has begun, the gateway does not look at everything after each event.
@Suite("A connection at rest", .blocking)
struct RestTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    private static let client =
        #"{ match: { uri: "**" }, context: "remote:alice", "#
        + #"allow: [{ channel: c, call: [do], deadline: 150ms }, { channel: d, call: [do] }] }"#

    /// No timer of its beginning is to wake the connection by chance.
    private static func bench(upstream: String = "300s", isEager: Bool = true) throws -> GatewayBench {
        try GatewayBench(isEager: isEager) {
            $0.clients = [client]
            $0.timeouts = ["handshake": "300s", "context": "300s", "upstream": upstream]
        }
    }

    /// Calls, one after the other, each with its answer.
    private static func converse(_ ids: Range<UInt64>, _ client: TestClient, _ server: UpstreamConnection) throws {
        for id in ids {
            client.send(TwoServers.call(id, "d"))
            let sent = opening + (0...id).flatMap { TwoServers.call($0, "d") }
            #expect(try server.receive(count: sent.count) == sent)
            try server.send(Sample.answer(id))
            #expect(try client.frame(Int(id) + 1).encoded() == Sample.answer(id))
        }
    }

    private static func pair(_ bench: GatewayBench) throws -> (TestClient, UpstreamConnection) {
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: opening.count)
        try server.send(RecordingUpstream.initialize)
        try converse(0..<3, client, server)
        return (client, server)
    }

    @Test("has the deadline of its next call")
    func callDeadline() throws {
        let bench = try Self.bench()
        let (client, _) = try Self.pair(bench)
        client.send(TwoServers.call(3, "c"))
        #expect(try TwoServers.error(client.frame(4), id: 3) == "DeadlineExceeded")
        // And the one after it, when the timer has been used.
        client.send(TwoServers.call(4, "c"))
        #expect(try TwoServers.error(client.frame(5), id: 4) == "DeadlineExceeded")
    }

    @Test("is closed when it is silent for too long, also where only a reload says so")
    func idle() throws {
        let bench = try Self.bench()
        let (client, server) = try Self.pair(bench)
        try bench.reload { $0.timeouts["idle"] = "300ms" }
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "idle-timeout")
        #expect(try client.receiveToEnd() == .inOrder)
        server.close()
    }

    @Test("still notices a server that never says Initialize, when an earlier deadline has passed")
    func laterDeadline() throws {
        let bench = try Self.bench(upstream: "600ms", isEager: false)
        let client = try bench.open()
        client.send(TwoServers.call(0, "c"))
        #expect(try TwoServers.error(client.frame(1), id: 0) == "DeadlineExceeded")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-timeout")
    }
}
