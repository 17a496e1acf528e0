// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Synchronization
import TLSEngine
import Testing

/// What one client feels while others attack. The figures are printed; what is asserted leaves room for a busy machine.
@Suite("A polite client", .serialized, .blocking)
struct FloodTests {
    /// How long calls took.
    private struct Latencies: CustomStringConvertible {
        var sorted: [Duration]

        func percentile(_ percent: Int) -> Duration {
            self.sorted[min(self.sorted.count - 1, self.sorted.count * percent / 100)]
        }

        var description: String { "p50 \(self.percentile(50)) p99 \(self.percentile(99))" }
    }

    private static func measure(_ client: BlockingClient, calls: Int) throws -> Latencies {
        let clock = ContinuousClock()
        var times: [Duration] = []
        for number in 0..<calls {
            let argument = "\(number)"
            let start = clock.now
            let answer = try client.call("sample", "echo", .string(.init(argument)), milliseconds: patient(10_000))
            times.append(clock.now - start)
            guard answer.string == argument else { throw TestSupportError("a wrong answer to call \(number)") }
        }
        return Latencies(sorted: times.sorted())
    }

    /// Runs attacks on threads of their own until it is gone.
    private final class Attack: Sendable {
        private let isOver = Mutex(false)
        private let count = Mutex(0)

        init(threads: Int, _ body: @escaping @Sendable () -> Void) {
            for _ in 0..<threads {
                Thread.detachNewThread { [self] in
                    while !self.isOver.withLock({ $0 }) {
                        body()
                        self.count.withLock { $0 += 1 }
                    }
                }
            }
        }

        func stop() -> Int {
            self.isOver.withLock { $0 = true }
            return self.count.withLock { $0 }
        }
    }

    @Test("hardly notices a flood of handshakes with certificates of another authority")
    func badCertificates() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sample.sock")
        let server = try SampleServer(path)
        let bench = try GatewayBench(upstream: .at(path), logLevel: "info") { $0.threads = 1 }
        let gateway = bench.gateway
        let descriptors = try gateway.descriptorCount()
        let stream = try BlockingStream(
            host: "127.0.0.1",
            port: gateway.port,
            tls: try TLSContext(bench.tls(try bench.alice())),
            serverName: "localhost"
        )
        let polite = try BlockingClient(stream, context: "polite")
        let calm = try Self.measure(polite, calls: 500)

        // Its folder goes with it.
        let otherAuthority = try TestAuthority()
        let stranger = try otherAuthority.client("alice", uris: ["spiffe://example.org/dev/alice"])
        let context = try TLSContext(bench.tls(stranger))
        let port = gateway.port
        let attack = Attack(threads: 2) {
            let stream = try? BlockingStream(host: "127.0.0.1", port: port, tls: context, serverName: "localhost")
            _ = try? stream?.receive(milliseconds: 1_000)
        }
        try eventually("the flood has begun") { gateway.closings.count > 20 }
        let flooded = try Self.measure(polite, calls: 500)
        let handshakes = attack.stop()
        print("polite client, calm: \(calm); beside \(handshakes) bad handshakes: \(flooded)")
        // Two flooding threads and the client share the machine's cores with the gateway, so most of it is theirs.
        #expect(flooded.percentile(50) < calm.percentile(50) + .milliseconds(20))
        #expect(flooded.percentile(99) < calm.percentile(99) + .milliseconds(100))
        polite.finish()
        withExtendedLifetime(otherAuthority) {}
        try eventually("every descriptor is back") { try gateway.descriptorCount() == descriptors }
        try server.stop()
    }

    @Test("is served on when there are few descriptors and strangers hold them")
    func fewDescriptors() throws {
        let bench = try GatewayBench(descriptorLimit: 64) { $0.threads = 1 }
        let polite = try bench.open()
        polite.send(Sample.call(0))
        let server = try bench.recording().connection()
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count + Sample.call(0).count)
        try server.send(RecordingUpstream.initialize)
        let holders = (0..<80).compactMap { _ in try? BlockingStream(host: "127.0.0.1", port: bench.gateway.port) }
        #expect(holders.count == 80, "the system's queue holds those that are not accepted")
        try bench.gateway.waitForLog("the pause") { $0["message"]?.contains("accepting pauses") == true }
        for id in 1..<UInt64(50) {
            let count = server.receivedCount
            polite.send(Sample.call(id))
            try server.receive(count: count + Sample.call(id).count)
            try server.send(Sample.answer(id))
            #expect(try polite.frame(Int(id)).encoded() == Sample.answer(id))
        }
        // Strangers who hold their places make room, so that a newcomer gets in beside them.
        let newcomer = try bench.open()
        #expect(newcomer.ending == nil)
    }
}
