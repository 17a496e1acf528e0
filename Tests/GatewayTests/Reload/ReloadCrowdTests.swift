// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("Reloads one after the other, and in a crowd", .blocking)
struct ReloadCrowdTests {
    @Test("cost nobody a call, while clients come, call, lose their connections and come back")
    func storm() throws {
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("s.sock"))) { $0.threads = 2 }
        let callers = try [bench.alice(), bench.ops(), bench.alice(), bench.ops()].map {
            try SteadyCaller(bench.gateway, tls: bench.tls($0))
        }
        let peers = try (0..<3).map { _ in
            try PersistentPeer(port: bench.gateway.port, tls: bench.tls(try bench.alice()))
        }
        for peer in peers {
            try SessionStage.expectOK(try peer.connect())
            try peer.announce()
            try peer.waitUntilReady()
        }
        for round in 1...30 {
            // Entries change places, and one gets another pattern, so that what an entry is changes each time.
            try bench.signalReload { text in
                if round % 2 == 1 { text.clients.reverse() }
                text.clients[round % 2] = text.clients[round % 2].replacing(
                    "uri: \"spiffe://example.org/dev/*\"",
                    with: "uri: [\"spiffe://example.org/dev/*\", \"spiffe://example.org/round/\(round)\"]"
                )
            }
            for peer in peers {
                peer.cut(.reset)
                try SessionStage.expectOK(try peer.resume())
                let id = try peer.call("sample", "echo", IPCValue(round))
                #expect(try peer.answer(to: id) == IPCValue(round))
            }
        }
        for caller in callers {
            try caller.waitForAnswers(3)
            caller.stop()
            #expect(caller.failure == nil)
        }
        #expect(!bench.gateway.log.contains { $0["reason"] == "revoked" || $0["level"] == "error" })
        #expect(bench.gateway.log.contains { $0["message"] == "configuration reloaded" && $0["judged"] != "0" })
        try server.stop()
    }

    @Test("A thousand clients are judged within a second, and all of another authority are cut")
    func crowd() throws {
        let authority = try TestAuthority()
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("s.sock")), logLevel: "info", authority: authority) {
            $0.limits = ["newcomers": "4096"]
        }
        let count = 1000
        let crowd = ClientSwarm(port: bench.gateway.port, tls: try TLSContext(bench.tls(try bench.alice())))
        try crowd.join(count)
        #expect(crowd.readyCount == count)
        let witness = try SteadyCaller(bench.gateway, tls: bench.tls(try bench.ops()))
        let line = try bench.reload()
        #expect((line["judged"], line["cut"]) == ("\(count + 1)", "0"))
        let time = try #require(line["milliseconds"].flatMap { Int($0) })
        #expect(time < 1000 * patience, "\(time) ms")
        print("reload: \(count) clients judged in \(time) ms")
        try crowd.call(1)
        #expect(crowd.rightAnswerCount == count)
        #expect(try bench.reload(generation: 3) { $0.clients.removeFirst() }["cut"] == "\(count)")
        try bench.gateway.waitForClosings(count)
        try witness.waitForAnswers(3)
        witness.stop()
        try server.stop()
    }

    @Test("A local client is judged by what the kernel says of it")
    func local() throws {
        let bench = try GatewayBench.local(isEager: true)
        let client = try bench.openLocally()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        #expect(try bench.reload()["judged"] == "1")
        client.send(Sample.call(0))
        try server.send(Sample.answer(0))
        #expect(try client.frame(1).encoded() == Sample.answer(0))
        try bench.reload(generation: 3) { $0.clients.removeLast() }
        try client.receiveToEnd()
        #expect(client.errorCode == "revoked")
    }

    @Test("A connection that began before is judged at the end of its handshake")
    func handshake() throws {
        let other = try TestAuthority(name: "New CA")
        let bench = try GatewayBench {
            $0.threads = 1
            $0.sections = ["sandbox: { read: [\(other.directory)] }"]
        }
        let stream = try BlockingStream(host: "127.0.0.1", port: bench.gateway.port)
        // Another that comes later is served, so this one has been accepted.
        _ = try bench.open()
        try bench.reload { $0.clientCA = other.caFile }
        #expect(throws: (any Error).self) {
            try stream.startTLS(try TLSContext(bench.tls(try bench.alice())), serverName: "localhost")
            try BlockingClient(stream, context: "late").waitUntilReady()
        }
        let closing = try bench.gateway.waitForLog("the refusal") { $0["reason"] == "issuer-unknown" }
        #expect(closing["detail"] != nil)
        #expect(bench.gateway.log.count { $0["message"] == "client accepted" } == 1)
    }
}
