// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Synchronization
import TLSEngine
import Testing

@Suite("A port that several gateways share", .blocking)
struct SharedPortTests {
    /// A second gateway at the first one's port.
    private static func second(_ bench: GatewayBench, _ further: String) throws -> String {
        let text = try String(contentsOfFile: bench.configurationFile, encoding: .utf8)
            .replacing("127.0.0.1:0\n    shared: true", with: "127.0.0.1:\(bench.gateway.port)\(further)")
        return try bench.directory.write(text, to: "second.yaml")
    }

    private static func bench() throws -> GatewayBench {
        try GatewayBench(logLevel: "info") { text in
            text.address = "127.0.0.1:0\n    shared: true"
            text.threads = 2
            text.timeouts = ["drain": "10m"]
        }
    }

    @Test("is handed from one to the next under load: nobody is refused, and nobody is reset")
    func upgrade() throws {
        let bench = try Self.bench()
        let next = try GatewayProcess(
            configurationFile: try Self.second(bench, "\n    shared: true"),
            logLevel: "info"
        )
        let tls = bench.tls(try bench.alice())
        let port = bench.gateway.port
        let isOver = Mutex(false)
        let served = Atomic<Int>(0)
        let crowd = (0..<4).map { _ in
            Background {
                while !isOver.withLock({ $0 }) {
                    let client = TestClient(port: port, tls: tls)
                    client.open()
                    if let ending = client.ending { return "\(ending)" }
                    _ = try? client.frame(0)
                    // Told to connect anew, which it does.
                    if client.errorCode == "draining" { continue }
                    guard client.received == RecordingUpstream.initialize else {
                        return "\(client.ending.map { "\($0)" } ?? "nothing came"), \(client.received.count) bytes"
                    }
                    served.add(1, ordering: .relaxed)
                    client.disappear(reset: false)
                }
                return ""
            }
        }
        func waitForServed(_ count: Int) throws {
            let goal = served.load(ordering: .relaxed) + count
            try eventually("\(count) more are served") { served.load(ordering: .relaxed) >= goal }
        }
        try waitForServed(20)
        #expect(try bench.gateway.stop() == 0)
        try waitForServed(20)
        isOver.withLock { $0 = true }
        for member in crowd {
            let failure = try member.value(within: .seconds(60))
            #expect(failure.isEmpty, "\(failure)")
        }
        // Both had their share.
        for gateway in [bench.gateway, next] {
            #expect(gateway.log.contains { $0["message"] == "client accepted" })
        }
        #expect(try next.stop() == 0)
    }

    @Test("is not shared by a gateway that does not say so")
    func notShared() throws {
        let bench = try Self.bench()
        let file = try Self.second(bench, "")
        let child = try ChildProcess(try GatewayProcess.command(file))
        #expect(try child.wait() == 69)
        #expect(child.errors.contains("another program listens there (listeners[].shared"), "\(child.errors)")
    }
}
