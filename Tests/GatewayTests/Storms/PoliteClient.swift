// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Synchronization
import TLSEngine

/// A gateway of one thread in front of the sample server, and one client that makes one call after the other.
final class PoliteClient {
    /// How long calls took.
    struct Latencies: CustomStringConvertible {
        var sorted: [Duration]

        func percentile(_ percent: Int) -> Duration { sorted[min(sorted.count - 1, sorted.count * percent / 100)] }

        var description: String { "p50 \(percentile(50)) p99 \(percentile(99))" }
    }

    let bench: GatewayBench
    private let server: SampleServer
    private let directory: TemporaryDirectory
    private let client: BlockingClient

    init(_ configure: (inout GatewayConfigurationText) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        server = try SampleServer(directory.file("sample.sock"))
        bench = try GatewayBench(upstream: .at(directory.file("sample.sock")), logLevel: "info") {
            $0.threads = 1
            configure(&$0)
        }
        let stream = try BlockingStream(
            host: "127.0.0.1",
            port: bench.gateway.port,
            tls: try TLSContext(bench.tls(try bench.alice())),
            serverName: "localhost"
        )
        client = try BlockingClient(stream, context: "polite")
    }

    /// Calls, and checks every answer.
    func measure(calls: Int = 300) throws -> Latencies {
        let clock = ContinuousClock()
        var times: [Duration] = []
        for number in 0..<calls {
            let argument = IPCValue("\(number)")
            let start = clock.now
            let answer = try client.call("sample", "echo", argument, milliseconds: patient(20_000))
            times.append(clock.now - start)
            guard answer == argument else { throw TestSupportError("a wrong answer to call \(number)") }
        }
        return Latencies(sorted: times.sorted())
    }
}

/// Does the same again and again on threads of its own until it is stopped.
final class Attack: Sendable {
    private let isOver = Mutex(false)
    private let count = Mutex(0)

    init(threads: Int, _ body: @escaping @Sendable () -> Void) {
        for _ in 0..<threads {
            Thread.detachNewThread { [self] in
                while !isOver.withLock({ $0 }) {
                    body()
                    count.withLock { $0 += 1 }
                }
            }
        }
    }

    /// How often it was done until now.
    var times: Int { count.withLock { $0 } }

    /// - Returns: How often it was done.
    @discardableResult
    func stop() -> Int {
        isOver.withLock { $0 = true }
        return times
    }
}
