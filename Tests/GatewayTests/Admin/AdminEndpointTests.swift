// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("The operators' endpoint", .blocking)
struct AdminEndpointTests {
    @Test("is a socket for the gateway's user, and is gone after the end")
    func socketFile() throws {
        let bench = try GatewayBench.administered()
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.adminSocket)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try bench.ask("GET", "/health/live").status == 200)
        #expect(try bench.gateway.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: bench.adminSocket))
    }

    @Test("replaces a socket that was left behind, and leaves one alone that lives")
    func socketTaken() throws {
        let bench = try GatewayBench.administered()
        bench.gateway.kill()
        _ = try bench.gateway.child.wait()
        #expect(FileManager.default.fileExists(atPath: bench.adminSocket))
        let next = try GatewayProcess(configurationFile: bench.configurationFile)
        try eventually("it answers") { (try? bench.ask("GET", "/health/live").status) == 200 }
        let third = try ChildProcess(try GatewayProcess.command(bench.configurationFile))
        #expect(try third.wait() == 69)
        #expect(third.errors.contains("another program listens there"), "\(third.errors)")
        #expect(try bench.ask("GET", "/health/live").status == 200)
        _ = next
    }

    @Test("tells wrong paths, methods and requests from right ones")
    func wrong() throws {
        let bench = try GatewayBench.administered()
        #expect(try bench.ask("GET", "/nothing").status == 404)
        #expect(try bench.ask("GET", "/metrics/").status == 404)
        #expect(try bench.ask("POST", "/metrics").status == 405)
        #expect(try bench.ask("GET", "/reload").status == 405)
        #expect(try bench.ask("GET", "/sessions?limit=0").status == 400)
        // Who closes means all of them, or one: a part of the list is a slip.
        #expect(try bench.ask("DELETE", "/sessions?identity=x&limit=1").status == 400)
        #expect(try bench.ask("POST", "/sessions/close?identity=x&after=1").status == 400)
        #expect(try bench.ask("DELETE", "/sessions/1?identity=x").status == 400)
        #expect(try bench.ask("GET", "/sessions/1?limit=1").status == 400)
        #expect(try bench.ask("GET", "/sessions?identty=x").status == 400)
        #expect(try bench.ask("DELETE", "/sessions").status == 400)
        #expect(try bench.ask("DELETE", "/sessions/x").status == 400)
        #expect(try bench.ask("DELETE", "/sessions/99").status == 404)
        #expect(try bench.ask("DELETE", "/sessions?identity=").status == 400)
        #expect(try bench.ask("GET", "/sessions?after=99999999999999999999").status == 400)
    }

    @Test("serves metrics and health at a loopback address, and nothing else unless that is wanted")
    func loopback() throws {
        let bench = try GatewayBench.administered(admin: "{ unix: admin.sock, address: 127.0.0.1:0 }")
        let line = try bench.gateway.waitForLog("the address") {
            $0["message"] == "operators are served" && $0["address"]?.hasPrefix("127.") == true
        }
        let port = try #require(line["address"]?.split(separator: ":").last.flatMap { UInt16($0) })
        func status(_ head: String, host: String? = nil) throws -> Int {
            let stream = try BlockingStream(host: "127.0.0.1", port: port)
            let host = host ?? "127.0.0.1:\(port)"
            try stream.send(Array("\(head) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8))
            var bytes: [UInt8] = []
            while case .bytes(let more) = try stream.receive(milliseconds: 30_000) { bytes += more }
            let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            return words.count > 1 ? Int(words[1]) ?? 0 : 0
        }
        #expect(try status("GET /metrics") == 200)
        #expect(try status("GET /health/live", host: "localhost:\(port)") == 200)
        #expect(try status("GET /health/ready", host: "rebound.example:\(port)") == 421)
        #expect(try status("GET /status") == 403)
        #expect(try status("GET /sessions") == 403)
        #expect(try status("POST /drain") == 403)
        #expect(try status("POST /metrics") == 403)
    }

    @Test("keeps to bounds: headers, connections, requests that do not come to an end")
    func bounds() throws {
        let bench = try GatewayBench.administered()
        let large = try BlockingStream(unix: bench.adminSocket)
        let head =
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\n"
        try? large.send(Array(head.utf8))
        if case .bytes(let answer)? = try? large.receive(milliseconds: 30_000) {
            #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 4"))
        }
        // So many that wait do not keep the gateway from its work.
        let idle = try (0..<200).map { _ in try BlockingStream(unix: bench.adminSocket) }
        let client = try bench.open()
        client.send(Sample.call(0))
        _ = try bench.recording().connection()
        #expect(idle.count == 200)
        try eventually("those that are too many are closed") { try bench.gateway.descriptorCount() < 150 }
        #expect(bench.gateway.child.status == nil)
    }

    @Test("reloads, and says what is wrong when it cannot")
    func reload() throws {
        let bench = try GatewayBench.administered()
        let good = try bench.askJSON("POST", "/reload")
        #expect((good.status, good.value["generation"]?.double) == (200, 2))
        try bench.replaceConfiguration("clients: 5\nfoo: 1\n")
        let bad = try bench.askJSON("POST", "/reload")
        #expect(bad.status == 422)
        let problems = (bad.value["problems"]?.array ?? []).compactMap(\.string)
        #expect(problems.contains { $0.contains("gateway.yaml:2") && $0.contains("foo") }, "\(problems)")
        let metrics = try bench.metrics()
        #expect(metrics["reload_failures_total"] == 1)
        #expect(metrics["configuration_generation"] == 2)
        #expect((metrics["reload_last_failure_timestamp_seconds"] ?? 0) > 1_700_000_000)
        let status = try bench.askJSON("GET", "/status").value
        #expect(status["configuration"]?["problems"]?.array?.isEmpty == false)
    }

    @Test("drains")
    func drain() throws {
        let bench = try GatewayBench.administered()
        #expect(try bench.ask("POST", "/drain").status == 202)
        #expect(try bench.gateway.child.wait() == 0)
    }

    @Test("reloads by itself when a file has changed by content, and only then")
    func interval() throws {
        let bench = try GatewayBench.administered { $0.reload = "{ interval: 1s }" }
        try bench.replaceConfiguration(bench.configuration.yaml + "# more\n")
        try bench.gateway.waitForLog("a reload", within: .seconds(30)) {
            $0["message"] == "configuration reloaded" && $0["generation"] == "2"
        }
        // The same bytes in another file are no news; what comes after them is, and is the next generation.
        try bench.replaceConfiguration(bench.configuration.yaml + "# more\n")
        letTimePass(milliseconds: 2500)
        try bench.replaceConfiguration("foo: 1\n")
        try bench.gateway.waitForLog("a refusal", within: .seconds(30)) {
            $0["message"]?.hasPrefix("changed files: the configuration was not reloaded") == true
        }
        try bench.replaceConfiguration(bench.configuration.yaml + "# good again\n")
        try bench.gateway.waitForLog("a reload", within: .seconds(30)) {
            $0["message"] == "configuration reloaded" && $0["generation"] == "3"
        }
        let refusals = bench.gateway.log.filter { $0["message"]?.hasPrefix("changed files:") == true }
        #expect(refusals.count == 1)
    }
}
