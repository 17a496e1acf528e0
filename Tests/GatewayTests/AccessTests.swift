// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("Who may connect, by certificate", .blocking)
struct AccessTests {
    @Test(
        "Each client is accepted, or refused visibly, with one line in the log, and nothing reaches the upstream",
        arguments: AccessCase.certificates + AccessCase.identities + AccessCase.contexts + AccessCase.protocols
    )
    func access(_ row: AccessCase) throws {
        let bench = try GatewayBench(isEager: true, configure: row.configure)
        let client = try Self.connect(row, bench)
        let upstream = try bench.recording()
        switch row.sight {
        case .accepted:
            try client.receive(count: RecordingUpstream.initialize.count)
            let opening = RecordingUpstream.opening(context: row.context)
            #expect(try upstream.connection().receive(count: opening.count) == opening)
            #expect(client.negotiated?.version == row.version)
            let accepted = try bench.gateway.waitForLog("the client") { $0["message"] == "client accepted" }
            #expect(accepted["context"] == row.context)
            #expect(accepted["tls"] == row.version.rawValue)
        case .alert(let words):
            let refusal = try client.receiveToEnd().refusal
            #expect(refusal?.contains(words) == true, "\(String(describing: client.ending))")
            #expect(client.received.isEmpty)
        case .error(let code):
            #expect(try client.receiveToEnd() == .inOrder, "\(String(describing: client.ending))")
            #expect(client.errorCode == code)
            #expect(client.frames.count == 1, "nothing but the error: \(client.frames)")
        case .end:
            #expect(try client.receiveToEnd() == .inOrder)
        }
        if let reason = row.reason {
            let closing = try bench.gateway.waitForClosings(1)
            #expect(closing["reason"] == reason, "\(closing)")
            #expect(try upstream.settledConnections().isEmpty, "nothing may reach the upstream")
            #expect(bench.gateway.log.allSatisfy { $0["message"] != "client accepted" })
        }
        client.disappear(reset: false)
        #expect(try bench.gateway.stop() == 0)
        #expect(bench.gateway.closings.count == 1, "one line for one connection")
        #expect(bench.gateway.log.allSatisfy { $0["text"] == nil }, "every line is JSON")
    }

    private static func connect(_ row: AccessCase, _ bench: GatewayBench) throws -> TestClient {
        if let plaintext = row.plaintext {
            let client = TestClient(port: bench.gateway.port, tls: nil)
            client.send(plaintext)
            return client
        }
        var tls = bench.tls(try row.files(bench))
        row.tls(&tls)
        let client = TestClient(port: bench.gateway.port, tls: tls)
        client.open(context: row.announced)
        return client
    }

    @Test("A refused client does not learn names, paths or patterns of the gateway")
    func discretion() throws {
        let bench = try GatewayBench()
        let client = try bench.connect(
            try bench.authority.client("mallory", uris: ["spiffe://example.org/intern/mallory"])
        )
        client.open()
        try client.receiveToEnd()
        let reason = try #require(client.errorReason)
        #expect(!reason.contains("spiffe") && !reason.contains(bench.directory.path))
    }

    @Test("A certificate with a line feed in its name is refused, and its name cannot forge a line of the log")
    func lineFeed() throws {
        let bench = try GatewayBench(isEager: true) { configuration in
            configuration.clients = [#"{ match: { commonName: "*" }, context: "remote:{commonName}" }"#]
        }
        // Our own client would not load it.
        let files = try bench.authority.clientWithLineFeed()
        let address = "127.0.0.1:\(bench.gateway.port)"
        let words = ["openssl", "s_client", "-connect", address, "-cert", files.certificate, "-key", files.key]
        let client = try ChildProcess(words)
        try client.wait()
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "bad-certificate")
        #expect(try bench.recording().settledConnections().isEmpty)
        #expect(try bench.gateway.stop() == 0)
        #expect(bench.gateway.closings.count == 1)
        #expect(bench.gateway.log.allSatisfy { $0["text"] == nil }, "every line is JSON")
    }
}
