// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("ipc-gateway call and listen through the gateway", .serialized)
struct CallThroughGatewayTests {
    private static func bench(_ stage: CommandStage) throws -> GatewayBench {
        try GatewayBench(upstream: .at(stage.socket)) { configuration in
            configuration.clients = [
                #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", "#
                    + #"allow: [{ channel: test, call: [echo, whoami, never], listen: ["*"] }] }"#
            ]
        }
    }

    private static func words(_ bench: GatewayBench, _ files: CertificateFiles?, host: String = "127.0.0.1") -> [String]
    {
        var words = ["--host", "\(host):\(bench.gateway.port)", "--ca", bench.authority.caFile]
        if let files { words += ["--cert", files.certificate, "--key", files.key] }
        return words
    }

    @Test("the context comes from the certificate, whatever the host is called")
    func whoami() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        for host in ["127.0.0.1", "localhost"] {
            let words = Self.words(bench, try bench.alice(), host: host)
            let result = try await stage.run(["call"] + words + ["test", "whoami"])
            #expect(result == .init(status: 0, output: "\"remote:alice\"\n", errors: ""))
        }
        let named = Self.words(bench, try bench.alice()) + ["--server-name", "localhost"]
        #expect(try await stage.run(["call"] + named + ["test", "whoami"]).status == 0)
        try bench.gateway.waitForClosings(3)
        #expect(bench.gateway.closings.allSatisfy { $0["reason"] == "finished" }, "\(bench.gateway.closings)")
    }

    @Test("a call that is denied ends with 77")
    func denied() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        let result = try await stage.run(["call"] + Self.words(bench, try bench.alice()) + ["test", "fail"])
        #expect(result.status == 77)
        #expect(result.errors.hasPrefix("error: test.fail is denied: "))
        #expect(stage.seen.arguments.isEmpty)
    }

    @Test("who is refused hears why, and it ends with 69")
    func refused() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        for (words, reason) in [
            (Self.words(bench, nil), "certificate required"),
            (Self.words(bench, try bench.strangersAlice()), "unknown CA"),
            (Self.words(bench, try bench.ops()), "names no client"),
            (Self.words(bench, try bench.alice()) + ["--server-name", "example.org"], "example.org"),
        ] {
            let result = try await stage.run(["call"] + words + ["test", "whoami"])
            #expect(result.status == 69)
            #expect(result.errors.hasPrefix("error: cannot connect: tls:127.0.0.1:\(bench.gateway.port): "))
            #expect(result.errors.contains(reason), "\(result.errors)")
        }
    }

    @Test("a certificate or key that cannot be used ends with 78")
    func badFiles() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        let (alice, ops) = (try bench.alice(), try bench.ops())
        let host = ["--host", "127.0.0.1:\(bench.gateway.port)"]
        for words in [
            host + ["--ca", "/nowhere.pem"],
            host + ["--ca", bench.authority.caFile, "--cert", alice.certificate, "--key", ops.key],
        ] {
            let result = try await stage.run(["call"] + words + ["test", "whoami"])
            #expect(result.status == 78, "\(result.errors)")
            #expect(result.errors.contains(".pem"))
        }
    }

    @Test("ctrl-C cancels the handler behind the gateway")
    func interrupted() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        let words = ["call"] + Self.words(bench, try bench.alice()) + ["test", "never"]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        try await eventually("the handler runs") { stage.seen.startedCount == 1 }
        child.signal(SIGINT)
        #expect(try await child.end(within: .seconds(5)) == 130)
        try await eventually("the handler is cancelled") { stage.seen.cancelledCount == 1 }
    }

    @Test("events come through")
    func listen() async throws {
        let stage = try await CommandStage()
        let bench = try Self.bench(stage)
        let words = ["listen"] + Self.words(bench, try bench.alice()) + ["--count", "2", "test", "onEvent"]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        try await eventually("somebody listens") { stage.channel.events.listenerCount == 1 }
        stage.channel.events.fire(1)
        stage.channel.events.fire(["a": 2])
        #expect(try await child.end() == 0)
        #expect(child.output == "1\n{\"a\":2}\n")
    }
}
