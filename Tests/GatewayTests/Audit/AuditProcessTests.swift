// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("The audit log of the process", .blocking)
struct AuditProcessTests {
    @Test("is opened at the start, and opened anew at SIGUSR1 after it was renamed")
    func reopen() throws {
        let bench = try GatewayBench { $0.audit = "{ file: audit.jsonl }" }
        let path = bench.directory.file("audit.jsonl")
        #expect(access(path, F_OK) == 0)
        for round in 1...2 {
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).\(round)")
            bench.gateway.child.signal(SIGUSR1)
            try eventually("the file is there again") { access(path, F_OK) == 0 }
        }
        try bench.gateway.waitForLog("that it is opened anew") {
            $0["message"] == "audit log reopened" && $0["detail"] == path
        }
        #expect(try bench.gateway.stop() == 0)
    }

    @Test("is whole when signals for it come while the gateway stops", arguments: [SIGUSR1, SIGHUP])
    func signalWhileStopping(signal: Int32) throws {
        let bench = try GatewayBench { $0.audit = "{ file: audit.jsonl }" }
        let client = try bench.open()
        client.send(Sample.call(0))
        let server = try bench.recording().connection()
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count)
        bench.gateway.child.signal(SIGTERM)
        try bench.gateway.waitForLog("that it stops") { $0["message"] == "stopping" }
        bench.gateway.child.signal(signal)
        try server.send(RecordingUpstream.initialize + Sample.answer(0))
        try client.receiveToEnd()
        client.disappear(reset: false)
        #expect(try bench.gateway.child.wait() == 0)
        let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
        let types = text.split(separator: "\n").map { $0.split(separator: "\"")[5] }
        #expect(types == ["open", "call", "close"], "\(text)")
    }

    @Test("that is not there is said at SIGUSR1, and nothing else happens")
    func none() throws {
        let bench = try GatewayBench()
        bench.gateway.child.signal(SIGUSR1)
        try bench.gateway.waitForLog("the signal") { $0["message"] == "SIGUSR1: there is no audit log to reopen" }
        #expect(try bench.gateway.stop() == 0)
    }

    @Test("that cannot be opened ends the start; check opens nothing, and says where lines go")
    func failure() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        var configuration = GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [.init(path: directory.file("up.sock"))]
        )
        configuration.audit =
            #"{ file: none/audit.jsonl, sample: 0.5, arguments: { bytes: 1KiB, redact: ["[0].password"] } }"#
        let file = try directory.write(configuration.yaml, to: "gateway.yaml")
        let run = try ChildProcess(try GatewayProcess.command(file))
        #expect(try run.wait() == 78)
        let path = directory.file("none/audit.jsonl")
        let message = "error: \(file): audit: cannot open the audit log, \(path): No such file or directory; "
        #expect(run.errors.contains(message), "\(run.errors)")
        let check = try ChildProcess([try GatewayProcess.program(), "check", "--config", file])
        #expect(try check.wait() == 0)
        let line =
            "audit: to \(path); denied calls and listens, and a share of 0.5 of the others; "
            + "arguments up to 1024 bytes, redacted at 1 place"
        #expect(check.output.split(separator: "\n").contains { $0 == line }, "\(check.output)")
    }
}
