// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("The process: signals, descriptors, ports", .blocking)
struct ProcessTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    /// A call there and an answer back.
    private static func exchange(_ client: TestClient, _ server: UpstreamConnection, _ id: UInt64) throws {
        try server.receive(count: Self.opening.count)
        let sent = server.receivedCount
        let answered = client.received.count
        client.send(Sample.call(id))
        try server.receive(count: sent + Sample.call(id).count)
        try server.send(Sample.answer(id))
        try client.receive(count: answered + Sample.answer(id).count)
        #expect(client.frames.last?.encoded() == Sample.answer(id))
    }

    // MARK: Signals

    @Test("SIGTERM and SIGINT end it in order: clients are told, the exit status is 0", arguments: [SIGTERM, SIGINT])
    func stop(signal: Int32) throws {
        let bench = try GatewayBench(isEager: true)
        let clients = try (0..<5).map { _ in try bench.open() }
        let shy = TestClient(port: bench.gateway.port, tls: nil)
        for index in clients.indices {
            try bench.recording().connection(index).send(RecordingUpstream.initialize)
        }
        try Self.exchange(clients[0], try bench.recording().connection(0), 0)
        bench.gateway.child.signal(signal)
        for client in clients {
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(client.errorCode == "draining")
            client.disappear(reset: false)
        }
        try shy.receiveToEnd()
        #expect(try bench.gateway.child.wait() == 0)
        #expect(bench.gateway.closings.map { $0["reason"] } == Array(repeating: "stopping", count: 6))
        #expect(bench.gateway.log.last?["message"] == "stopped")
        for connection in try bench.recording().connections {
            try connection.receiveToEnd()
        }
        #expect(TestClient(port: bench.gateway.port, tls: nil).ending != nil, "nobody listens any more")
    }

    @Test("Clients that do not leave when it stops are given up after a short while")
    func stopWithStubbornClients() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let start = ContinuousClock.now
        #expect(try bench.gateway.stop() == 0)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "draining")
    }

    @Test("A second signal ends it at once")
    func secondSignal() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        bench.gateway.child.signal(SIGTERM)
        try client.receiveToEnd()
        // The client does not leave, so the gateway would wait a little.
        bench.gateway.child.signal(SIGTERM)
        #expect(try bench.gateway.child.wait() == 0)
    }

    @Test("SIGHUP without a change disturbs nobody, and says what was done")
    func hangUp() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        bench.gateway.child.signal(SIGHUP)
        let line = try bench.gateway.waitForLog("the reload") { $0["message"] == "configuration reloaded" }
        #expect((line["generation"], line["judged"], line["cut"]) == ("2", "1", "0"))
        try Self.exchange(client, server, 0)
    }

    @Test("Peers that vanish in the middle of data never end it")
    func brokenPipes() throws {
        let bench = try GatewayBench(isEager: true)
        let witness = try bench.open()
        let witnessed = try bench.recording().connection()
        try witnessed.send(RecordingUpstream.initialize)
        bench.gateway.child.signal(SIGPIPE)
        let events = (0..<2_000).flatMap { _ in Sample.event(0, "some text that fills a socket sooner or later") }
        for round in 1...10 {
            let client = try bench.open()
            let server = try bench.recording().connection(round)
            try server.receive(count: Self.opening.count)
            _ = try Sample.subscribe(client, server)
            let sending = Background { try? server.send(RecordingUpstream.initialize + events) }
            try client.frame(1)
            if round % 2 == 0 {
                client.disappear(reset: true)
            } else {
                server.close()
                client.send((1..<UInt64(501)).flatMap { Sample.call($0) })
            }
            _ = try sending.value()
            client.disappear(reset: false)
            if round % 2 == 0 { try server.receiveToEnd() }
            server.close()
            try bench.gateway.waitForClosings(round)
            try Self.exchange(witness, witnessed, UInt64(round))
        }
        #expect(bench.gateway.child.status == nil)
    }

    // MARK: Descriptors

    @Test("After many connections, ended in every way, the descriptors are as many as before")
    func descriptorsReturn() throws {
        let bench = try GatewayBench(isEager: true)
        let before = try bench.gateway.descriptorCount()
        for round in 0..<60 {
            let client = round % 6 == 5 ? TestClient(port: bench.gateway.port, tls: nil) : try bench.open()
            switch round % 6 {
            case 0: client.disappear(reset: true)
            case 1: client.finishSending()
            case 2: client.send([9, 9, 9] + Sample.call(0))
            case 3: client.send(Sample.call(0))
            case 4: client.send(Array(Sample.call(0).dropLast()))
            default: client.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            }
        }
        for connection in try bench.recording().settledConnections() { connection.close() }
        try bench.gateway.waitForClosings(60)
        try eventually("\(before) descriptors are left of \(bench.gateway.descriptors)") {
            try bench.gateway.descriptorCount() == before
        }
        #expect(bench.gateway.closings.count == 60)
    }

    @Test("Without descriptors left it pauses accepting, serves whom it has, and goes on when there are some again")
    func noDescriptors() throws {
        let bench = try GatewayBench(isEager: true, descriptorLimit: 40) { $0.threads = 1 }
        let upstream = try bench.recording()
        let first = try bench.open()
        let server = try upstream.connection()
        try server.send(RecordingUpstream.initialize)
        // They take up descriptors without needing an upstream.
        let crowd = (0..<60).map { _ in TestClient(port: bench.gateway.port, tls: nil) }
        let pause = try bench.gateway.waitForLog("that accepting pauses") {
            $0["message"]?.hasPrefix("accepting pauses") == true
        }
        #expect(pause["message"]?.contains("Too many open files") == true)
        for id in 0..<UInt64(20) { try Self.exchange(first, server, id) }
        for client in crowd { client.disappear(reset: true) }
        let late = try bench.open()
        let lateServer = try upstream.connection(1)
        try lateServer.send(RecordingUpstream.initialize)
        try Self.exchange(late, lateServer, 0)
        try Self.exchange(first, server, 99)
        let pauses = bench.gateway.log.filter { $0["message"]?.hasPrefix("accepting pauses") == true }
        #expect(pauses.count < 100, "it does not spin: \(pauses.count) lines")
    }

    @Test("An upstream that cannot be dialled for want of descriptors costs its client alone")
    func noDescriptorForUpstream() throws {
        let bench = try GatewayBench(descriptorLimit: 40) { $0.threads = 1 }
        let first = try bench.open()
        first.send(Sample.call(0))
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        let hungry = try bench.open()
        let crowd = (0..<60).map { _ in TestClient(port: bench.gateway.port, tls: nil) }
        try bench.gateway.waitForLog("that accepting pauses") { $0["message"]?.hasPrefix("accepting pauses") == true }
        hungry.send(Sample.call(0))
        #expect(try hungry.receiveToEnd() == .inOrder)
        #expect(hungry.errorCode == "upstream-unavailable")
        #expect(try bench.gateway.waitForClosings(1)["detail"]?.contains("no descriptors left") == true)
        try Self.exchange(first, server, 1)
        withExtendedLifetime(crowd) {}
    }

    // MARK: Ports

    @Test("A second gateway on the same port does not start, and says why", arguments: [1, 2])
    func portInUse(threads: Int) throws {
        let bench = try GatewayBench { $0.threads = threads }
        let text = try String(contentsOfFile: bench.configurationFile, encoding: .utf8)
        let port = bench.gateway.port
        let file = try bench.directory.write(
            text.replacingOccurrences(of: "127.0.0.1:0", with: "127.0.0.1:\(port)"),
            to: "second.yaml"
        )
        let second = try ChildProcess(try GatewayProcess.command(file))
        #expect(try second.wait() == 69)
        #expect(second.errors.contains("cannot listen on 127.0.0.1:\(port)"))
        #expect(second.errors.contains("another program listens there"))
        _ = try bench.open()
    }

    @Test("Every thread takes its share of the connections, and each connection works")
    func threads() throws {
        let bench = try GatewayBench(isEager: true) { $0.threads = 4 }
        for round in 0..<40 {
            let client = try bench.open()
            let server = try bench.recording().connection(round)
            try server.send(RecordingUpstream.initialize)
            try Self.exchange(client, server, UInt64(round))
        }
        #expect(bench.gateway.log.first { $0["message"] == "listening" }?["threads"] == "4")
    }
}
