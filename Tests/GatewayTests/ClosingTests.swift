// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPCProtocol
import Testing

@Suite("How connections end", .blocking)
struct ClosingTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    /// A client and the server it is connected to.
    static func pair(
        _ configure: (inout GatewayConfigurationText) -> Void = { _ in }
    ) throws -> (bench: GatewayBench, client: TestClient, server: UpstreamConnection) {
        let bench = try GatewayBench(isEager: true, configure: configure)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        try server.send(RecordingUpstream.initialize)
        return (bench, client, server)
    }

    @Test("A client that has finished still gets everything the server sends", arguments: [true, false])
    func clientHalfCloses(closeNotify: Bool) throws {
        let (bench, client, server) = try Self.pair()
        let calls = (0..<UInt64(3)).flatMap { Sample.call($0) }
        client.send(calls)
        client.finishSending(closeNotify: closeNotify)
        #expect(try server.receiveToEnd() == Self.opening + calls)
        for id in 0..<UInt64(3) {
            try server.send(Sample.answer(id))
            #expect(try client.frame(Int(id) + 1).encoded() == Sample.answer(id))
        }
        #expect(bench.gateway.closings.isEmpty)
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    @Test("A server that has finished still gets everything the client sends")
    func serverHalfCloses() throws {
        let (bench, client, server) = try Self.pair()
        let listen = try Sample.subscribe(client, server)
        try server.send(Sample.event(0))
        server.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == RecordingUpstream.initialize + Sample.event(0))
        for id in 1..<UInt64(4) { client.send(Sample.call(id)) }
        let expected = Self.opening + listen + (1..<UInt64(4)).flatMap { Sample.call($0) }
        #expect(try server.receive(count: expected.count) == expected)
        #expect(bench.gateway.closings.isEmpty)
        client.finishSending()
        #expect(try server.receiveToEnd() == expected)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("A client that finishes without having asked for anything", arguments: [true, false])
    func nothingAsked(closeNotify: Bool) throws {
        let bench = try GatewayBench()
        let client = try bench.open()
        client.finishSending(closeNotify: closeNotify)
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("A reset by the client ends the server's connection")
    func reset() throws {
        let (bench, client, server) = try Self.pair()
        client.send(Sample.call(0))
        try server.receive(count: Self.opening.count + Sample.call(0).count)
        client.disappear(reset: true)
        #expect(try server.receiveToEnd() == Self.opening + Sample.call(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "connection-lost")
    }

    @Test(
        "A client that says everything at once and leaves: everything arrives",
        arguments: [true, false],
        [true, false]
    )
    func everythingAtOnce(isEager: Bool, closeNotify: Bool) throws {
        let bench = try GatewayBench(isEager: isEager)
        let client = try bench.connect()
        let calls = (0..<UInt64(300)).flatMap { Sample.call($0) }
        client.send(TestClient.opening() + calls)
        client.finishSending(closeNotify: closeNotify)
        let server = try bench.recording().connection()
        #expect(try server.receiveToEnd() == Self.opening + calls)
        try server.send(RecordingUpstream.initialize + Sample.answer(0))
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == RecordingUpstream.initialize + Sample.answer(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    @Test("A reset inside a frame passes nothing of it on")
    func resetInsideFrame() throws {
        let (bench, client, server) = try Self.pair()
        client.send(Sample.call(0) + Sample.call(1).dropLast())
        try server.receive(count: Self.opening.count + Sample.call(0).count)
        client.disappear(reset: true)
        #expect(try server.receiveToEnd() == Self.opening + Sample.call(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "connection-lost")
    }

    @Test("A connection that is closed before the first byte is a health check, logged for debugging only")
    func healthCheck() throws {
        let bench = try GatewayBench()
        TestClient(port: bench.gateway.port, tls: nil).disappear(reset: false)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "closed-before-handshake")
        #expect(closing["level"] == "debug")
        TestClient(port: bench.gateway.port, tls: nil).disappear(reset: true)
        let second = try bench.gateway.waitForClosings(2)
        #expect(second["level"] == "debug" || second["reason"] == "connection-lost")
    }

    @Test("A connection that is closed inside the handshake")
    func closedInHandshake() throws {
        let bench = try GatewayBench()
        let client = TestClient(port: bench.gateway.port, tls: nil)
        client.send([22, 3, 1, 1, 0])
        client.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "connection-lost")
    }

    @Test("A client that was refused and does not leave is cut off")
    func refusedAndStubborn() throws {
        let bench = try GatewayBench(isEager: true)
        let before = try bench.gateway.descriptorCount()
        let clients = try (0..<5).map { _ in try bench.open() }
        for client in clients {
            client.send([9])
            client.send(Array(repeating: 9, count: 20))
            #expect(try client.receiveToEnd() == .inOrder)
        }
        try eventually("\(before) descriptors are left of \(bench.gateway.descriptors)") {
            try bench.gateway.descriptorCount() == before
        }
        withExtendedLifetime(clients) {}
    }

    @Test("No state of a connection makes the gateway spin")
    func idleness() throws {
        let (bench, idle, idleServer) = try Self.pair()
        var clients = [idle]
        var servers = [idleServer]
        for index in 1...4 {
            clients.append(try bench.open())
            servers.append(try bench.recording().connection(index))
            try servers[index].send(RecordingUpstream.initialize)
        }
        clients[1].finishSending()
        servers[2].finishSending()
        clients[3].finishSending(closeNotify: false)
        clients[4].send(Array(Sample.call(0).dropLast()))
        try servers[1].receiveToEnd()
        try clients[2].receiveToEnd()
        try servers[3].receiveToEnd()
        let handshaking = TestClient(port: bench.gateway.port, tls: nil)
        handshaking.send([22, 3, 1])
        let before = try bench.gateway.usage().processorTicks
        letTimePass(milliseconds: 500)
        let used = try bench.gateway.usage().processorTicks - before
        #expect(used < 10, "\(used) hundredths of a second in half a second")
        #expect(bench.gateway.closings.isEmpty)
    }

    // MARK: Deadlines

    @Test("A client that does not negotiate is cut off", arguments: [[], [22], [22, 3, 1, 1, 0, 1]] as [[UInt8]])
    func handshakeTimeout(bytes: [UInt8]) throws {
        let bench = try GatewayBench { $0.timeouts["handshake"] = "200ms" }
        let client = TestClient(port: bench.gateway.port, tls: nil)
        client.send(bytes)
        try client.receiveToEnd()
        #expect(client.received.isEmpty)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "handshake-timeout")
    }

    @Test("A client that does not announce a context in time is told and cut off; single bytes do not help")
    func contextTimeout() throws {
        let bench = try GatewayBench(isEager: true) { $0.timeouts["context"] = "300ms" }
        let client = try bench.connect()
        var announcement = TestClient.opening(context: "a long enough context to last for a while")[...]
        while client.ending == nil {
            client.send(Array(announcement.prefix(1)))
            announcement = announcement.dropFirst()
            client.receiveSome(milliseconds: 50)
            try #require(!announcement.isEmpty)
        }
        #expect(client.ending == .inOrder)
        #expect(client.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "context-timeout")
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("After the client has finished a silent server is given up")
    func drainTimeout() throws {
        let (bench, client, server) = try Self.pair { $0.timeouts["drain"] = "200ms" }
        client.send(Sample.call(0))
        client.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        try server.receiveToEnd()
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "drain-timeout")
        #expect(closing["detail"]?.contains("the local server neither sent nor finished for 200 ms") == true)
    }

    @Test("After the server has finished a silent client is given up")
    func drainTimeoutOfClient() throws {
        let (bench, client, server) = try Self.pair { $0.timeouts["drain"] = "200ms" }
        server.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "drain-timeout")
        #expect(closing["detail"]?.contains("the client neither sent nor finished for 200 ms") == true)
        try server.receiveToEnd()
    }

    @Test("A server that goes on sending is not given up")
    func drainMoves() throws {
        let (bench, client, server) = try Self.pair { $0.timeouts["drain"] = "400ms" }
        _ = try Sample.subscribe(client, server, ids: 0..<12)
        client.finishSending()
        try server.receiveToEnd()
        for id in 0..<UInt64(12) {
            // Twelve times a quarter of the deadline is three deadlines.
            letTimePass(milliseconds: 100)
            try server.send(Sample.event(id))
            #expect(try client.frame(Int(id) + 1).encoded() == Sample.event(id))
        }
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
    }
}
