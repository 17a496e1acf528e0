// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Connections of local clients", .blocking)
struct LocalConnectionTests {
    private static let opening = RecordingUpstream.opening(context: "local:\(getuid())")

    private static func pair(
        _ configure: (inout GatewayConfigurationText) -> Void = { _ in }
    ) throws -> (bench: GatewayBench, client: TestClient, server: UpstreamConnection) {
        let bench = try GatewayBench.local(isEager: true, configure: configure)
        let client = try bench.openLocally()
        let server = try bench.recording().connection()
        try server.receive(count: opening.count)
        try server.send(RecordingUpstream.initialize)
        return (bench, client, server)
    }

    @Test("A client that has finished still gets everything the server sends")
    func clientHalfCloses() throws {
        let (bench, client, server) = try Self.pair()
        let calls = (0..<UInt64(3)).flatMap { Sample.call($0) }
        client.send(calls)
        client.finishSending()
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
        client.finishSending()
        #expect(try server.receiveToEnd() == Self.opening + listen + (1..<UInt64(4)).flatMap { Sample.call($0) })
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("What a client has said before it closed arrives, whether or not it waits for answers")
    func everythingAtOnce() throws {
        let bench = try GatewayBench.local()
        let calls = (0..<UInt64(300)).flatMap { Sample.call($0) }
        let client = bench.connectLocally()
        client.send(TestClient.opening() + calls)
        client.disappear(reset: false)
        let server = try bench.recording().connection()
        #expect(try server.receiveToEnd() == Self.opening + calls)
        server.close()
        try bench.gateway.waitForClosings(1)
    }

    @Test("A client that vanishes inside a frame leaves nothing of it behind")
    func vanishes() throws {
        let (bench, client, server) = try Self.pair()
        client.send(Sample.call(0) + Sample.call(1).dropLast())
        try server.receive(count: Self.opening.count + Sample.call(0).count)
        client.disappear(reset: false)
        #expect(try server.receiveToEnd() == Self.opening + Sample.call(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "ended-inside-frame")
    }

    @Test("Large messages pass both ways unchanged")
    func large() throws {
        let (bench, client, server) = try Self.pair()
        let payload = IPCValue.buffer((0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let call = Sample.call(0, payload)
        let answer = Sample.answer(0, payload)
        let sender = Background { try server.receive(count: Self.opening.count + call.count) }
        client.send(call)
        let isSameCall = try sender.value() == Self.opening + call
        #expect(isSameCall)
        let answering = Background { try server.send(answer) }
        let isSameAnswer =
            try client.receive(count: RecordingUpstream.initialize.count + answer.count).suffix(
                answer.count
            ) == answer[...]
        #expect(isSameAnswer)
        try answering.value()
        #expect(bench.gateway.closings.isEmpty)
    }

    @Test("A connection that is closed before the first byte is a health check, whoever made it")
    func healthCheck() throws {
        let bench = try GatewayBench.local { $0.clients = [GatewayBench.entry("uid: \"12345\"", context: "x")] }
        bench.connectLocally().disappear(reset: false)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "closed-before-handshake")
        #expect(closing["level"] == "debug")
    }

    @Test("Single bytes do not save a client that announces no context in time")
    func contextTimeout() throws {
        let bench = try GatewayBench.local(isEager: true) { $0.timeouts["context"] = "300ms" }
        let client = bench.connectLocally()
        var announcement = TestClient.opening(context: "a long enough context to last for a while")[...]
        while client.ending == nil {
            client.send(Array(announcement.prefix(1)))
            announcement = announcement.dropFirst()
            client.receiveSome(milliseconds: 50)
            try #require(!announcement.isEmpty)
        }
        #expect(client.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "context-timeout")
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("A client that says nothing at all is cut off")
    func silence() throws {
        let bench = try GatewayBench.local { $0.timeouts["context"] = "200ms" }
        let client = bench.connectLocally()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "context-timeout")
    }

    @Test("A client that does not finish a frame is cut off")
    func frameTimeout() throws {
        let (bench, client, server) = try Self.pair { $0.timeouts["frame"] = "200ms" }
        client.send(Array(Sample.call(0).dropLast()))
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "limit")
        #expect(try server.receiveToEnd() == Self.opening)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "frame-timeout")
    }

    @Test("Malformed frames are refused as from anybody", arguments: MalformedFrame.frames.prefix(12))
    func malformed(_ malformed: MalformedFrame) throws {
        let (bench, client, server) = try Self.pair()
        client.send(Sample.call(0) + malformed.bytes)
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "malformed")
        #expect(try server.receiveToEnd() == Self.opening + Sample.call(0))
        #expect(try bench.gateway.waitForClosings(1)["reason"] == malformed.reason)
    }

    @Test("TLS is not spoken here")
    func tls() throws {
        let bench = try GatewayBench.local()
        let client = bench.connectLocally()
        client.send([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 0, 0, 0, 0])
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["level"] == "notice")
    }

    @Test("A server that does not read holds its client back, and no memory is piled up")
    func backPressure() throws {
        let (bench, client, server) = try Self.pair()
        server.setPaused(true)
        let before = try bench.gateway.residentBytes()
        let calls = (0..<UInt64(256)).flatMap { Sample.call($0, .buffer([UInt8](repeating: 7, count: 64 << 10))) }
        let sending = Handover(client)
        let sent = Background { sending.client.send(calls) }
        letTimePass(milliseconds: 300)
        #expect(!sent.isDone)
        let growth = try bench.gateway.residentBytes() - before
        #expect(growth < 8 << 20, "\(growth >> 10) KiB")
        server.setPaused(false)
        try sent.value()
        client.finishSending()
        let isSame = try server.receiveToEnd() == Self.opening + calls
        #expect(isSame)
    }

    /// Takes a client to the one thread that uses it meanwhile.
    private struct Handover: @unchecked Sendable {
        let client: TestClient

        init(_ client: TestClient) {
            self.client = client
        }
    }

    @Test("A thousand connections leave no descriptor behind")
    func churn() throws {
        let bench = try GatewayBench.local()
        let before = try bench.gateway.descriptorCount()
        for index in 0..<1_000 {
            let client = bench.connectLocally()
            if index % 3 > 0 { client.open() }
            if index % 3 > 1 { try client.receive(count: RecordingUpstream.initialize.count) }
            client.disappear(reset: false)
        }
        try bench.gateway.waitForClosings(1_000, within: .seconds(30))
        try eventually("the descriptors are given back") { try bench.gateway.descriptorCount() == before }
    }

    @Test("All threads get their share of the clients")
    func threads() throws {
        let bench = try GatewayBench.local { $0.threads = 4 }
        let folder = "/proc/\(bench.gateway.child.pid)"
        /// How many descriptors each event loop watches.
        func watched() throws -> [Int] {
            try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").compactMap { number in
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\(number)")
                guard target == "anon_inode:[eventpoll]" else { return nil }
                let text = try String(contentsOfFile: "\(folder)/fdinfo/\(number)", encoding: .utf8)
                return text.split(separator: "\n").count { $0.hasPrefix("tfd:") }
            }
        }
        let before = try watched().max() ?? 0
        let clients = try (0..<40).map { _ in try bench.openLocally() }
        let counts = try watched()
        #expect(counts.count == 4)
        #expect(counts.allSatisfy { $0 >= before + 3 }, "\(counts), at first \(before)")
        withExtendedLifetime(clients) {}
    }

    @Test("Idle clients cost no processor time, however they ended their half")
    func idleness() throws {
        let (bench, idle, first) = try Self.pair()
        let finished = try bench.openLocally()
        let second = try bench.recording().connection(1)
        try second.send(RecordingUpstream.initialize)
        finished.finishSending()
        try second.receiveToEnd()
        let gone = try bench.openLocally()
        let third = try bench.recording().connection(2)
        try third.send(RecordingUpstream.initialize)
        gone.disappear(reset: false)
        try third.receiveToEnd()
        let before = try bench.gateway.usage().processorTicks
        letTimePass(milliseconds: 500)
        let used = try bench.gateway.usage().processorTicks - before
        #expect(used < 10, "\(used) hundredths of a second in half a second")
        withExtendedLifetime((idle, first)) {}
    }
}
