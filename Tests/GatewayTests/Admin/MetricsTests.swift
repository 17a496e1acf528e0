// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Metrics", .blocking)
struct MetricsTests {
    private static let rules = """
        allow: [{ channel: storage, call: [get, "x*"], listen: [onDidChange] }], \
        deny: [{ name: no-drops, channel: storage, call: [drop] }]
        """

    private static func bench() throws -> GatewayBench {
        try GatewayBench.administered { text in
            text.clients = ["{ match: { uri: \"spiffe://example.org/dev/*\" }, context: \"remote:alice\", \(rules) }"]
        }
    }

    private static func call(_ id: UInt64, _ command: String, channel: String = "storage") -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: IPCString(channel), command: IPCString(command))).encoded()
    }

    @Test("count calls, listens, refusals, bytes and connections exactly")
    func exact() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        let listen = Frame.regular(IPCMessage.listen(id: 100, channel: "storage", event: "onDidChange")).encoded()
        let deniedListen = Frame.regular(IPCMessage.listen(id: 101, channel: "storage", event: "onOther")).encoded()
        let passing = (0..<5).flatMap { Self.call($0, "get") } + Self.call(5, "xyz") + Self.call(6, "get") + listen
        let denied = Self.call(20, "drop") + Self.call(21, "other") + Self.call(22, "get", channel: "nowhere")
        client.send(passing + denied + deniedListen)
        let server = try bench.recording().connection()
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count + passing.count)
        try server.send(RecordingUpstream.initialize)
        let failure = Frame.regular(
            IPCMessage.failure(id: 5, error: .object(["message": "no", "name": "Error", "stack": .null]))
        ).encoded()
        try server.send((0..<5).flatMap { Sample.answer($0) } + failure)
        // Three denials, six answers.
        for index in 1...9 { _ = try client.frame(index) }
        var metrics = try bench.metrics()
        func calls(_ channel: String, _ command: String, _ outcome: String) -> Double? {
            metrics["calls_total{from=\"client\",channel=\"\(channel)\",command=\"\(command)\",outcome=\"\(outcome)\"}"]
        }
        #expect(calls("storage", "get", "ok") == 5)
        #expect(calls("storage", "other", "error") == 1)
        #expect(calls("storage", "drop", "denied") == 1)
        #expect(calls("storage", "other", "denied") == 1)
        #expect(calls("other", "other", "denied") == 1)
        #expect(metrics.keys.filter { $0.hasPrefix("calls_total{") }.count == 5)
        func listens(_ event: String, _ outcome: String) -> Double? {
            metrics["listens_total{from=\"client\",channel=\"storage\",event=\"\(event)\",outcome=\"\(outcome)\"}"]
        }
        #expect(listens("onDidChange", "open") == 1)
        #expect(listens("other", "denied") == 1)
        #expect(metrics["refused_total{cause=\"policy\"}"] == 4)
        #expect(metrics["calls_open"] == 1)
        #expect(metrics["listens_open"] == 1)
        #expect(metrics["sessions{client=\"attached\"}"] == 1)
        #expect(metrics["sessions_begun_total"] == 1)
        #expect(metrics["handshakes_total{result=\"full\"}"] == 1)
        #expect(metrics["connections_total{listener=\"127.0.0.1:0\"}"] == 1)
        #expect(metrics["connections{listener=\"127.0.0.1:0\"}"] == 1)
        #expect(metrics["upstream_connects_total{upstream=\"main\"}"] == 1)
        #expect(metrics["call_duration_seconds_count{upstream=\"main\"}"] == 6)
        #expect(metrics["call_duration_seconds_bucket{upstream=\"main\",le=\"+Inf\"}"] == 6)
        #expect(metrics["reactor_up{thread=\"0\"}"] == 1)
        #expect(metrics["reactor_up{thread=\"1\"}"] == 1)
        #expect(metrics["configuration_generation"] == 1)
        server.close()
        _ = try client.receiveToEnd()
        let closing = try bench.gateway.waitForClosings(1)
        try eventually("the connection is over") {
            metrics = try bench.metrics()
            return metrics["connections{listener=\"127.0.0.1:0\"}"] == 0
        }
        #expect(calls("storage", "get", "closed") == 1)
        #expect(listens("onDidChange", "closed") == 1)
        #expect(metrics["received_bytes_total"] == closing["bytesIn"].flatMap { Double($0) })
        // The end of TLS comes after the line in the log.
        let sent = try #require(closing["bytesOut"].flatMap { Double($0) })
        #expect((sent...sent + 100).contains(metrics["sent_bytes_total"] ?? 0))
        #expect(metrics["closed_total{reason=\"upstream-closed\"}"] == 1)
        #expect(metrics["sessions{client=\"attached\"}"] == 0)
    }

    @Test("go on counting through a reload, which adds names")
    func reload() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        client.send(Self.call(0, "drop") + Self.call(1, "set"))
        for index in 1...2 { _ = try client.frame(index) }
        _ = try bench.reload { text in
            text.clients = [
                "{ match: { uri: \"spiffe://example.org/dev/*\" }, context: \"remote:alice\", "
                    + "deny: [{ channel: storage, call: [set] }], allow: [{ channel: a, call: [b] }] }"
            ]
        }
        client.send(Self.call(2, "drop") + Self.call(3, "set"))
        for index in 3...4 { _ = try client.frame(index) }
        let metrics = try bench.metrics()
        func denied(_ command: String) -> Double? {
            metrics["calls_total{from=\"client\",channel=\"storage\",command=\"\(command)\",outcome=\"denied\"}"]
        }
        #expect(denied("drop") == 2)
        #expect(denied("set") == 1)
        #expect(denied("other") == 1)
        #expect(metrics["configuration_generation"] == 2)
    }

    @Test("say when certificates expire, and why handshakes and connections were refused")
    func refusals() throws {
        let bench = try Self.bench()
        _ = try bench.connect(try bench.strangersAlice()).receiveToEnd()
        let ops = try bench.connect(try bench.ops())
        ops.open()
        _ = try ops.receiveToEnd()
        try bench.gateway.waitForClosings(2)
        let metrics = try bench.metrics()
        #expect(metrics["handshakes_total{result=\"full\"}"] == 1)
        #expect(metrics["closed_total{reason=\"identity-not-mapped\"}"] == 1)
        #expect(metrics.keys.contains { $0.hasPrefix("handshakes_total{result=\"") && !$0.contains("full") })
        let expiries = metrics.filter { $0.key.hasPrefix("expiry_timestamp_seconds{kind=") }
        #expect(expiries.keys.contains { $0.contains("\"certificate\"") })
        #expect(expiries.keys.contains { $0.contains("\"authority\"") })
        #expect(expiries.values.allSatisfy { $0 > 1_700_000_000 })
        let refusals = try bench.askJSON("GET", "/status").value["refusals"]?.array ?? []
        #expect(refusals.contains { $0["cause"] == "identity-not-mapped" && $0["kind"] == "connection" }, "\(refusals)")
    }

    @Test("a flood of refusals is counted, and only some are remembered")
    func flood() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        let count = 2000
        client.send((0..<UInt64(count)).flatMap { Self.call($0, "drop") })
        _ = try client.frame(count)
        let status = try bench.askJSON("GET", "/status").value
        let refusals = status["refusals"]?.array ?? []
        #expect(status["refused"]?["policy"]?.double == Double(count))
        #expect((1...128).contains(refusals.count))
        #expect((status["refusalsOmitted"]?.double ?? 0) > 0)
        #expect(refusals.first?["rule"] == "no-drops")
        #expect(refusals.first?["identity"] == "spiffe://example.org/dev/alice")
    }

    @Test("tell when what is shown to other gateways ends, and what they are known by")
    func expiryOfPeers() throws {
        let stage = try PeerStage { $0.admin = "{ unix: admin.sock }" }
        let bench = stage.members[0].bench
        try eventually("the endpoint answers") { (try? bench.ask("GET", "/health/live").status) == 200 }
        let expiries = try bench.metrics().keys.filter { $0.hasPrefix("expiry_timestamp_seconds{kind=\"certificate\"") }
        #expect(expiries.contains { $0.contains("gw-a") }, "\(expiries)")
    }
}
