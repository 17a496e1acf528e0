// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Local servers that are absent, slow or leave", .blocking)
struct UpstreamTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    private static func expectUnavailable(_ client: TestClient, _ bench: GatewayBench) throws {
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "upstream-unavailable")
        #expect(client.errorReason?.contains(bench.directory.path) == false, "a client learns no paths")
        #expect(client.frames.count == 2, "[200] and the error")
    }

    @Test("A server that is not there: the client is told, the log says where it should be", arguments: [true, false])
    func absent(isEager: Bool) throws {
        let bench = try GatewayBench(upstream: .nothing, isEager: isEager)
        let client = try bench.connect()
        client.open()
        if !isEager { client.send(Sample.call(0)) }
        try Self.expectUnavailable(client, bench)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "upstream-unavailable")
        #expect(closing["level"] == "warning")
        #expect(closing["detail"]?.contains(bench.directory.file("up.sock")) == true)
        #expect(closing["detail"]?.contains("No such file") == true)
    }

    @Test("A socket that a killed server left behind")
    func refused() throws {
        let bench = try GatewayBench()
        let upstream = try bench.recording()
        upstream.stop()
        try eventually("the server is gone") { (try? BlockingStream(unix: upstream.path)) == nil }
        let client = try bench.open()
        client.send(Sample.call(0))
        try Self.expectUnavailable(client, bench)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "upstream-unavailable")
        #expect(closing["detail"]?.contains("nobody listens") == true)
    }

    @Test("A server whose queue stays full")
    func queueFull() throws {
        let bench = try GatewayBench(upstream: .notAccepting(backlog: 0)) { $0.timeouts["upstream"] = "300ms" }
        let first = try BlockingStream(unix: try bench.recording().path)
        let client = try bench.open()
        client.send(Sample.call(0))
        try Self.expectUnavailable(client, bench)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "upstream-timeout")
        #expect(closing["detail"]?.contains("did not accept a connection within 300 ms") == true)
        withExtendedLifetime(first) {}
    }

    @Test("A server whose queue is full for a while gets everything later")
    func queueFullForAWhile() throws {
        let bench = try GatewayBench(upstream: .notAccepting(backlog: 0))
        let upstream = try bench.recording()
        let first = try BlockingStream(unix: upstream.path)
        let client = try bench.open()
        let descriptors = try bench.gateway.descriptorCount()
        client.send(Sample.call(0))
        client.send(Sample.call(1))
        try eventually("the gateway has dialled") { try bench.gateway.descriptorCount() > descriptors }
        upstream.startAccepting()
        let server = try upstream.connection(1)
        let expected = Self.opening + Sample.call(0) + Sample.call(1)
        #expect(try server.receive(count: expected.count) == expected)
        try server.send(RecordingUpstream.initialize + Sample.answer(0))
        #expect(try client.frame(1).encoded() == Sample.answer(0))
        withExtendedLifetime(first) {}
    }

    @Test("A server whose queue is full gets everything later, even from a client that has finished by then")
    func queueFullAndFinished() throws {
        let bench = try GatewayBench(upstream: .notAccepting(backlog: 0))
        let upstream = try bench.recording()
        let first = try BlockingStream(unix: upstream.path)
        let client = try bench.open()
        let descriptors = try bench.gateway.descriptorCount()
        client.send(Sample.call(0))
        client.finishSending()
        try eventually("the gateway has dialled") { try bench.gateway.descriptorCount() > descriptors }
        upstream.startAccepting()
        let server = try upstream.connection(1)
        #expect(try server.receiveToEnd() == Self.opening + Sample.call(0))
        try server.send(RecordingUpstream.initialize + Sample.answer(0))
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.frames.last?.encoded() == Sample.answer(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
        withExtendedLifetime(first) {}
    }

    @Test("A server that accepts and never says Initialize")
    func noInitialize() throws {
        let bench = try GatewayBench { $0.timeouts["upstream"] = "300ms" }
        let client = try bench.open()
        client.send(Sample.call(0))
        try Self.expectUnavailable(client, bench)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "upstream-timeout")
        #expect(closing["detail"]?.contains("did not say Initialize within 300 ms") == true)
        #expect(try bench.recording().connection().receiveToEnd() == Self.opening + Sample.call(0))
    }

    @Test("A server that has said Initialize may take its time with answers")
    func slowAnswer() throws {
        let bench = try GatewayBench { $0.timeouts["upstream"] = "100ms" }
        let client = try bench.open()
        client.send(Sample.call(0))
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        #expect(!client.receiveSome(milliseconds: 300), "nothing happens")
        try server.send(Sample.answer(0))
        #expect(try client.frame(1).encoded() == Sample.answer(0))
    }

    @Test("A server that says Initialize twice: the client hears the gateway's alone")
    func initializeTwice() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        _ = try Sample.subscribe(client, server)
        try server.send(RecordingUpstream.initialize + RecordingUpstream.initialize + Sample.event(0))
        #expect(try client.frame(1).encoded() == Sample.event(0))
        #expect(client.received == RecordingUpstream.initialize + Sample.event(0))
    }

    @Test("A server that closes before Initialize")
    func closesAtOnce() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        try bench.recording().connection().close()
        #expect(try client.receiveToEnd() == .inOrder)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "upstream-closed")
        #expect(closing["detail"]?.contains("before it said Initialize") == true)
    }

    @Test("A server that answers and closes: the answer arrives before the end", arguments: [1, 100, 3_000])
    func answersAndCloses(count: Int) throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        let answers = (0..<UInt64(count)).flatMap { Sample.answer($0, "some text of some length") }
        let calls = (0..<UInt64(count)).flatMap { Sample.call($0) }
        client.send(calls)
        try server.receive(count: Self.opening.count + calls.count)
        try server.send(RecordingUpstream.initialize + answers)
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == RecordingUpstream.initialize + answers)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("A server that closes with requests unread: what it said before still arrives")
    func closesWithUnreadRequests() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        client.send(Sample.call(0))
        try server.receive(count: Self.opening.count + Sample.call(0).count)
        server.setPaused(true)
        try server.send(RecordingUpstream.initialize + Sample.answer(0, "last word"))
        client.send(Sample.call(1) + Sample.call(2))
        try client.frame(1)
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == RecordingUpstream.initialize + Sample.answer(0, "last word"))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("The upstream is dialled at the first request, and once")
    func dialledLazily() throws {
        let bench = try GatewayBench()
        let client = try bench.open()
        #expect(try bench.recording().settledConnections().isEmpty)
        for id in 0..<UInt64(5) { client.send(Sample.call(id)) }
        let expected = Self.opening + (0..<UInt64(5)).flatMap { Sample.call($0) }
        #expect(try bench.recording().connection().receive(count: expected.count) == expected)
        #expect(try bench.recording().settledConnections().count == 1)
    }
}
