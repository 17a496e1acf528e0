// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPCProtocol
import Synchronization
import Testing

@Suite("Much data", .blocking)
struct TransferTests {
    /// What the gateway may hold for one connection: an incomplete frame and what is queued, with room for copies.
    static let memoryBound = 12 << 20
    static let frameCount = 20

    private static let opening = RecordingUpstream.opening(context: "remote:alice")
    private static let payload = IPCValue.buffer((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    /// How far a sender in the background has come.
    private final class Progress: Sendable {
        private let state = Mutex(0)

        var count: Int { state.withLock { $0 } }

        func advance() {
            state.withLock { $0 += 1 }
        }
    }

    /// Watches the memory until a sender gets no further, since nobody reads.
    ///
    /// - Returns: The most memory that was seen.
    private static func peakUntilStalled(_ progress: Progress, _ bench: GatewayBench) throws -> Int {
        var peak = 0
        var last = -1
        var unchanged = 0
        try eventually("the sender is held up", within: .seconds(30)) {
            peak = max(peak, try bench.gateway.residentBytes())
            unchanged = progress.count == last ? unchanged + 1 : 0
            last = progress.count
            letTimePass(milliseconds: 5)
            return unchanged > 60
        }
        return peak
    }

    @Test("A server that does not read holds its client up; the gateway's memory stays bounded, and nothing is lost")
    func slowServer() throws {
        let bench = try GatewayBench(isEager: true)
        let files = try bench.alice()
        let client = try bench.open(files)
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        try server.send(RecordingUpstream.initialize)
        server.setPaused(true)
        let before = try bench.gateway.residentBytes()
        let progress = Progress()
        let (port, tls) = (bench.gateway.port, bench.tls(files))
        let sending = Background {
            // A second client, so that the first shows that others are not held up.
            let client = TestClient(port: port, tls: tls)
            client.open()
            for id in 0..<UInt64(Self.frameCount) {
                client.send(Sample.call(id, Self.payload))
                progress.advance()
            }
            client.finishSending()
            return try client.receiveToEnd() == .inOrder
        }
        let slow = try bench.recording().connection(1)
        slow.setPaused(true)
        let peak = try Self.peakUntilStalled(progress, bench)
        #expect(progress.count < Self.frameCount, "the client is held up")
        #expect(peak - before < Self.memoryBound, "the gateway grew by \((peak - before) >> 10) KiB")
        server.setPaused(false)
        client.send(Sample.call(1))
        try server.receive(count: Self.opening.count + Sample.call(1).count)
        slow.setPaused(false)
        try slow.send(RecordingUpstream.initialize)
        let expected = Self.opening + (0..<UInt64(Self.frameCount)).flatMap { Sample.call($0, Self.payload) }
        let received = try slow.receiveToEnd(within: .seconds(30))
        #expect(received.elementsEqual(expected), "\(received.count) of \(expected.count) bytes")
        slow.close()
        #expect(try sending.value())
    }

    @Test("A client that does not read holds its server up; the gateway's memory stays bounded, and nothing is lost")
    func slowClient() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        try server.send(RecordingUpstream.initialize)
        _ = try Sample.subscribe(client, server, ids: 0..<UInt64(Self.frameCount))
        let before = try bench.gateway.residentBytes()
        let progress = Progress()
        let sending = Background {
            for id in 0..<UInt64(Self.frameCount) {
                try server.send(Sample.event(id, Self.payload))
                progress.advance()
            }
            server.close()
        }
        let peak = try Self.peakUntilStalled(progress, bench)
        #expect(progress.count < Self.frameCount, "the server is held up")
        #expect(peak - before < Self.memoryBound, "the gateway grew by \((peak - before) >> 10) KiB")
        #expect(try client.receiveToEnd() == .inOrder)
        let expected =
            RecordingUpstream.initialize + (0..<UInt64(Self.frameCount)).flatMap { Sample.event($0, Self.payload) }
        #expect(client.received.elementsEqual(expected), "\(client.received.count) of \(expected.count) bytes")
        try sending.value()
    }

    @Test("A server that has closed does not hurry a client that reads slowly: everything arrives")
    func slowClientAfterTheEnd() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: Self.opening.count)
        try server.send(RecordingUpstream.initialize)
        _ = try Sample.subscribe(client, server, ids: 0..<UInt64(Self.frameCount))
        let sending = Background {
            for id in 0..<UInt64(Self.frameCount) { try server.send(Sample.event(id, Self.payload)) }
            server.close()
        }
        // About 4 MB/s: what is on its way when the server closes takes seconds.
        var pausedAt = 0
        while client.receiveSome() {
            if client.received.count - pausedAt > 64 << 10 {
                pausedAt = client.received.count
                letTimePass(milliseconds: 15)
            }
        }
        #expect(client.ending == .inOrder)
        let expected =
            RecordingUpstream.initialize + (0..<UInt64(Self.frameCount)).flatMap { Sample.event($0, Self.payload) }
        #expect(client.received.elementsEqual(expected), "\(client.received.count) of \(expected.count) bytes")
        try sending.value()
    }

    @Test("A client that asks and does not read is held up by the gateway's own refusals too")
    func refusalsAreBounded() throws {
        let bench = try GatewayBench { $0.clients = [#"{ match: { uri: "*://**" }, context: nobody }"#] }
        let before = try bench.gateway.residentBytes()
        let progress = Progress()
        let (port, tls) = (bench.gateway.port, bench.tls(try bench.alice()))
        let calls = (0..<UInt64(500)).flatMap { Sample.call($0) }
        let sending = Background {
            let client = TestClient(port: port, tls: tls)
            client.open()
            for _ in 0..<2_000 {
                client.send(calls)
                progress.advance()
            }
        }
        let peak = try Self.peakUntilStalled(progress, bench)
        #expect(progress.count < 2_000, "the client is held up")
        #expect(peak - before < Self.memoryBound, "the gateway grew by \((peak - before) >> 10) KiB")
        // Ends the connection, so that the sender's thread ends too.
        bench.gateway.kill()
        try sending.value()
    }

    @Test("Frames of the largest size pass both ways, and one byte more does not")
    func largestFrame() throws {
        let bench = try GatewayBench(isEager: true) { $0.limits["frameBytes"] = "2MiB" }
        let client = try bench.open()
        let server = try bench.recording().connection()
        let empty = Sample.call(0, .buffer([])).count + 2
        let largest = Sample.call(0, .buffer(Array(repeating: 1, count: (2 << 20) + FrameHeader.byteCount - empty)))
        #expect(largest.count == 2 << 20 + FrameHeader.byteCount)
        client.send(largest)
        #expect(try server.receive(count: Self.opening.count + largest.count).suffix(largest.count) == largest[...])
        try server.send(RecordingUpstream.initialize + largest)
        #expect(
            try client.receive(count: RecordingUpstream.initialize.count + largest.count).suffix(largest.count)
                == largest[...]
        )
        client.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 1])
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "frame-too-large")
    }

    @Test("Ten thousand calls in one go are all answered, in order", arguments: [true, false])
    func manyCalls(finishesAtOnce: Bool) throws {
        let directory = try TemporaryDirectory()
        let sample = try SampleServer(directory.file("sample.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("sample.sock")))
        let client = try bench.open()
        let count: UInt64 = 10_000
        client.send((0..<count).flatMap { Sample.call($0, IPCValue(Int($0))) })
        if finishesAtOnce { client.finishSending() }
        let expected = RecordingUpstream.initialize + (0..<count).flatMap { Sample.answer($0, IPCValue(Int($0))) }
        _ = try? client.receive(count: expected.count)
        #expect(
            client.received.elementsEqual(expected),
            "\(client.received.count) of \(expected.count) bytes; \(bench.gateway.closings)"
        )
        if !finishesAtOnce { client.finishSending() }
        #expect(try client.receiveToEnd() == .inOrder)
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["framesIn"] == "10000")
        #expect(closing["framesOut"] == "10000")
        try sample.stop()
    }
}
