// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Limits of a client, and deadlines of its calls", .blocking)
struct LimitTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    @Test("Calls beyond the number that may be open are answered, and the others pass")
    func outstanding() throws {
        let bench = try GatewayBench { $0.limits["callsOutstanding"] = "3" }
        let client = try bench.open()
        for id in 0..<UInt64(5) { client.send(TwoServers.call(id, "c")) }
        #expect(try TwoServers.error(client.frame(1), id: 3) == "LimitExceeded")
        #expect(try TwoServers.error(client.frame(2), id: 4) == "LimitExceeded")
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize + Sample.answer(1))
        #expect(try client.frame(3).encoded() == Sample.answer(1))
        client.send(TwoServers.call(5, "c"))
        let expected = Self.opening + [0, 1, 2, 5].flatMap { TwoServers.call($0, "c") }
        #expect(try server.receive(count: expected.count) == expected)
    }

    @Test("An identity's limits hold over all of its connections, and an entry may have its own")
    func perIdentity() throws {
        let bench = try GatewayBench {
            $0.limits["perIdentity"] = "{ clients: 2 }"
            $0.clients[0] =
                #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", "#
                + #"limits: { perIdentity: { callsPerSecond: 3 } }, \#(GatewayConfigurationText.everything) }"#
        }
        let clients = [try bench.open(), try bench.open()]
        let third = try bench.connect()
        third.open()
        #expect(try third.receiveToEnd() == .inOrder)
        #expect(third.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "identity-limit")
        // Others have their own.
        _ = try bench.open(bench.ops())
        for id in 0..<UInt64(2) {
            for client in clients { client.send(TwoServers.call(id, "c")) }
        }
        var refused = 0
        try eventually("one of the four is refused") {
            for client in clients where client.receiveSome(milliseconds: 10) {}
            refused = clients.reduce(0) { $0 + $1.frames.count - 1 }
            return refused > 0
        }
        #expect(refused == 1)
        // A place that is given back can be taken.
        clients[0].disappear(reset: true)
        try bench.gateway.waitForClosings(2)
        _ = try bench.open()
    }

    @Test("A listener's clients are limited, and so is how fast it accepts them; nobody who waits is lost")
    func listener() throws {
        let bench = try GatewayBench {
            $0.listenerLimits = ["clients": "6", "handshakesPerSecond": "4", "handshakesAtOnce": "2"]
        }
        let start = ContinuousClock.now
        let clients = try (0..<6).map { _ in try bench.open() }
        // Four at once, two in the half second after.
        #expect(start.duration(to: .now) > .milliseconds(400))
        let beyond = try bench.connect()
        beyond.open()
        #expect(try beyond.receiveToEnd() == .inOrder)
        #expect(beyond.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "client-limit")
        // Who refuses to shake hands takes a place for as long as the handshake may last, not longer than he stays.
        var holders = try (0..<2).map { _ in try BlockingStream(host: "127.0.0.1", port: bench.gateway.port) }
        #expect(holders.count == 2)
        clients[0].disappear(reset: true)
        try bench.gateway.waitForClosings(2)
        holders = []
        _ = try bench.open()
    }

    @Test("A client that sends faster than it may is read more slowly, and loses nothing")
    func bytesPerSecond() throws {
        let bench = try GatewayBench(isEager: true) { $0.limits["bytesPerSecond"] = "1MiB" }
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        let payload = IPCValue.buffer([UInt8](repeating: 7, count: 64 << 10))
        let start = ContinuousClock.now
        let calls = (0..<UInt64(40)).flatMap { TwoServers.call($0, "c", payload) }
        client.send(calls)
        let expected = Self.opening + calls
        let isSame = try server.receive(count: expected.count, within: .seconds(20)) == expected
        #expect(isSame)
        // 2.5 MiB: the first at once, the rest in a second and a half.
        #expect(start.duration(to: .now) > .seconds(1.3))
    }

    @Test("A call that takes longer than its rule allows is cancelled at the server and answered")
    func deadline() throws {
        let bench = try GatewayBench {
            $0.clients = [
                #"{ match: { uri: "**" }, context: "remote:alice", "#
                    + #"allow: [{ channel: c, call: [do], deadline: 150ms }, { channel: d, call: [do] }] }"#
            ]
        }
        let client = try bench.open()
        client.send(TwoServers.call(0, "c") + TwoServers.call(1, "d") + TwoServers.call(2, "c"))
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize + Sample.answer(2, "in time"))
        #expect(try client.frame(1).encoded() == Sample.answer(2, "in time"))
        #expect(try TwoServers.error(client.frame(2), id: 0) == "DeadlineExceeded")
        let cancel = Frame.regular(IPCMessage.cancel(id: 0)).encoded()
        let expected = Self.opening + [0, 1, 2].flatMap { TwoServers.call($0, $0 == 1 ? "d" : "c") } + cancel
        #expect(try server.receive(count: expected.count) == expected)
        try server.send(Sample.answer(0, "too late") + Sample.answer(1, "in its own time"))
        #expect(try client.frame(3).encoded() == Sample.answer(1, "in its own time"))
    }

    @Test("Denials that are to be hidden look like a channel that is not there, and come as late as its error")
    func hiddenDenial() throws {
        let bench = try GatewayBench {
            $0.answers["denial"] = "unknown-channel"
            $0.clients = [#"{ match: { uri: "**" }, context: c, allow: [{ channel: c, call: [do] }] }"#]
        }
        let client = try bench.open()
        let start = ContinuousClock.now
        client.send(TwoServers.call(0, "secret"))
        #expect(try TwoServers.error(client.frame(1), id: 0) == "Unknown channel")
        #expect(start.duration(to: .now) > .milliseconds(990))
        #expect(try bench.recording().settledConnections().isEmpty)
    }
}
