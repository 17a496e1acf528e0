// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Health", .blocking)
struct HealthTests {
    private static func reasons(_ value: IPCValue) -> [String] {
        (value["upstreams"]?.array ?? []).compactMap { $0["reason"]?.string }
    }

    @Test("is good when the server says Initialize to the context that it is asked with")
    func good() throws {
        let bench = try GatewayBench.administered(
            upstream: .nothing,
            admin: "{ unix: admin.sock, health: { context: probe, deadline: 20s } }"
        )
        let upstream = try RecordingUpstream(path: bench.directory.file("up.sock"))
        let asking = Thread.asking { try bench.askJSON("GET", "/health/ready") }
        let server = try upstream.connection()
        let opening = RecordingUpstream.opening(context: "probe")
        #expect(try server.receive(count: opening.count) == opening)
        try server.send(RecordingUpstream.initialize)
        let answer = try asking.value()
        #expect(answer.status == 200, "\(answer.value)")
        #expect(answer.value["status"] == "ready")
    }

    @Test("is bad, and says why, when the server is not there, says nothing, or something else")
    func bad() throws {
        let bench = try GatewayBench.administered(
            upstream: .nothing,
            admin: "{ unix: admin.sock, health: { deadline: 500ms } }"
        )
        let absent = try bench.askJSON("GET", "/health/ready")
        #expect(absent.status == 503)
        #expect(Self.reasons(absent.value).first?.contains("No such file") == true, "\(absent.value)")
        #expect(try bench.ask("GET", "/health/live").status == 200)
        // Silent: it accepts, and that is all.
        let upstream = try RecordingUpstream(path: bench.directory.file("up.sock"))
        try eventually("it is said to be silent") {
            let answer = try bench.askJSON("GET", "/health/ready")
            return answer.status == 503 && Self.reasons(answer.value).first?.contains("did not say Initialize") == true
        }
        upstream.stop()
    }

    @Test("leaves out servers that it is told to leave out, and asks none more than once a second")
    func unchecked() throws {
        let bench = try GatewayBench.administered(upstream: .nothing) { text in
            text.upstreams[0].members["health"] = "false"
        }
        let answer = try bench.askJSON("GET", "/health/ready")
        #expect(answer.status == 200)
        #expect(answer.value["upstreams"]?.array?.first?["status"] == "not checked")
    }

    @Test("is not ready any more while the gateway drains, and lives until it ends")
    func draining() throws {
        let stage = try SessionStage { $0.admin = "{ unix: admin.sock }" }
        let bench = stage.bench
        try bench.gateway.waitForLog("the endpoint") { $0["message"] == "operators are served" }
        // Somebody whom the gateway waits for.
        let (peer, server) = try stage.open()
        _ = try peer.call("sample", "echo")
        #expect(try bench.ask("POST", "/drain").status == 202)
        try eventually("it is not ready") {
            let answer = try bench.askJSON("GET", "/health/ready")
            return answer.status == 503 && answer.value["draining"] == .bool(true)
        }
        #expect(try bench.ask("GET", "/health/live").status == 200)
        #expect(try bench.askJSON("POST", "/reload").status == 422)
        server.close()
        bench.gateway.kill()
    }

    @Test("is told by the command, in a line and an exit code")
    func command() throws {
        let bench = try GatewayBench.administered(upstream: .nothing)
        let bad = try PolicyStage.run("health", "--config", bench.configurationFile)
        #expect(bad.status == 1)
        #expect(bad.output.hasPrefix("not ready; main: "), "\(bad.output)")
        let live = try PolicyStage.run("health", "--live", "--admin", bench.adminSocket)
        #expect((live.status, live.output) == (0, "alive\n"))
        let nobody = try PolicyStage.run("health", "--admin", bench.directory.file("none.sock"))
        #expect(nobody.status == 1)
        #expect(nobody.output.contains("No such file"), "\(nobody.output)")
        let wrong = try PolicyStage.run("health")
        #expect(wrong.status == 64)
    }

    @Test("a status for people and for scripts")
    func status() throws {
        let bench = try GatewayBench.administered()
        let client = try bench.open()
        let text = try PolicyStage.run("status", "--config", bench.configurationFile)
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.output.contains("1 live"), "\(text.output)")
        let json = try PolicyStage.run("status", "--json", "--admin", bench.adminSocket)
        #expect(json.output.contains("\"sessions\":{\"live\":1,"), "\(json.output)")
        let nobody = try PolicyStage.run("status", "--admin", bench.directory.file("none.sock"))
        #expect(nobody.status == 69)
        #expect(client.ending == nil)
    }
}

extension Thread {
    /// Runs something that blocks, on a thread of its own.
    static func asking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) -> Asked<Value> {
        let asked = Asked<Value>()
        detachNewThread { asked.result = Result(catching: body) }
        return asked
    }
}

/// What a thread will have found out.
final class Asked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Result<Value, any Error>?

    fileprivate var result: Result<Value, any Error>? {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue } }
    }

    func value() throws -> Value {
        try eventually("the answer comes", within: .seconds(60)) { self.result != nil }
        guard let result else { throw TestSupportError("there is no answer") }
        return try result.get()
    }
}
