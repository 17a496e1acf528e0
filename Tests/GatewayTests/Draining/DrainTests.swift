// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("A gateway that is asked to stop", .blocking)
struct DrainTests {
    private static let opening = RecordingUpstream.opening(context: "remote:alice")

    private struct Stage {
        let bench: GatewayBench
        let client: TestClient
        let server: UpstreamConnection

        /// A client that has subscribed with id 0, and called with id 1.
        init(drain: String, configure: (inout GatewayConfigurationText) -> Void = { _ in }) throws {
            bench = try GatewayBench(isEager: true) { text in
                text.timeouts = ["drain": drain]
                text.audit = "{ file: audit.jsonl }"
                configure(&text)
            }
            client = try bench.open()
            server = try bench.recording().connection()
            try server.send(RecordingUpstream.initialize)
            client.send(Sample.listen(0) + Sample.call(1))
            try server.receive(count: DrainTests.opening.count + Sample.listen(0).count + Sample.call(1).count)
        }

        func beginDraining() throws {
            bench.gateway.child.signal(SIGTERM)
            try bench.gateway.waitForLog("that it stops") { $0["message"] == "stopping" }
        }

        /// The types and outcomes of the audit log's lines, each of which has to be whole.
        func auditLines() throws -> [String] {
            let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
            #expect(text.hasSuffix("\n"))
            return try text.split(separator: "\n").map { line in
                let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                return [members["type"], members["outcome"] ?? members["reason"]]
                    .compactMap { $0 as? String }.joined(separator: " ")
            }
        }
    }

    @Test("lets open calls finish, refuses new ones by their ids, ends subscriptions, and ends with 0")
    func inOrder() throws {
        let stage = try Stage(drain: "10m")
        try stage.beginDraining()
        stage.client.send(Sample.call(2) + Sample.listen(3))
        guard case .failure(2, let error) = try IPCMessage.decode(try stage.client.frame(1).body) else {
            Issue.record("the new call is not refused")
            return
        }
        #expect(error["name"] == "Draining")
        try stage.server.send(Sample.event(0, "still here") + Sample.answer(1, "late"))
        #expect(try stage.client.frame(2).encoded() == Sample.event(0, "still here"))
        #expect(try stage.client.frame(3).encoded() == Sample.answer(1, "late"))
        #expect(try stage.client.receiveToEnd() == .inOrder)
        #expect(stage.client.errorCode == "draining")
        let received = try stage.server.receiveToEnd()
        let unlisten = Frame.regular(IPCMessage.unlisten(id: 0)).encoded()
        #expect(received == Self.opening + Sample.listen(0) + Sample.call(1) + unlisten)
        stage.client.disappear(reset: false)
        #expect(try stage.bench.gateway.child.wait() == 0)
        #expect(stage.bench.gateway.log.last?["message"] == "stopped")
        let lines = try stage.auditLines()
        #expect(lines.first == "open")
        #expect(lines.last == "close stopping")
        #expect(lines.contains("call ok"))
        #expect(lines.contains("call draining"))
        #expect(lines.contains("listen draining"))
        #expect(lines.contains("listen closed"))
    }

    @Test("cuts at the deadline what has not finished, says how much, and ends with 75")
    func deadline() throws {
        let stage = try Stage(drain: "200ms")
        let idle = try stage.bench.open()
        try stage.beginDraining()
        #expect(try idle.receiveToEnd() == .inOrder)
        idle.disappear(reset: false)
        #expect(try stage.client.receiveToEnd() == .inOrder)
        #expect(stage.client.errorCode == "draining")
        stage.client.disappear(reset: false)
        #expect(try stage.bench.gateway.child.wait() == 75)
        let line = stage.bench.gateway.log.last
        #expect((line?["message"], line?["cutCalls"], line?["cutSessions"]) == ("stopped", "1", "1"))
        #expect(line?["level"] == "warning")
        let lines = try stage.auditLines()
        #expect(lines.contains("call closed"))
        #expect(lines.last == "close stopping")
    }

    @Test("stops at once at a second signal, and still says what it cut", arguments: [SIGTERM, SIGINT])
    func secondSignal(signal: Int32) throws {
        let stage = try Stage(drain: "10m")
        try stage.beginDraining()
        stage.bench.gateway.child.signal(signal)
        #expect(try stage.bench.gateway.child.wait() == 75)
        #expect(try stage.client.receiveToEnd() != .withoutCloseNotify)
        #expect(stage.bench.gateway.log.last?["cutCalls"] == "1")
        #expect(try stage.auditLines().suffix(2).sorted() == ["call closed", "close stopping"].sorted())
    }

    @Test("is neither ended nor called back by SIGHUP while calls finish")
    func hangUp() throws {
        let stage = try Stage(drain: "10m")
        try stage.beginDraining()
        for count in 1...2 {
            stage.bench.gateway.child.signal(SIGHUP)
            try eventually("the signal is said to be ignored") {
                stage.bench.gateway.log.filter { $0["message"]?.hasPrefix("SIGHUP: the gateway is stop") == true }.count
                    == count
            }
        }
        stage.client.send(Sample.call(2))
        guard case .failure(2, let error) = try IPCMessage.decode(try stage.client.frame(1).body) else {
            Issue.record("a new call is not refused any more")
            return
        }
        #expect(error["name"] == "Draining")
        try stage.server.send(Sample.answer(1))
        try stage.client.receiveToEnd()
        stage.client.disappear(reset: false)
        #expect(try stage.bench.gateway.child.wait() == 0)
        #expect(!stage.bench.gateway.log.contains { $0["message"] == "configuration reloaded" })
    }

    @Test("lets a server ask the client what an open call needs")
    func calledBack() throws {
        let stage = try Stage(drain: "10m")
        try stage.beginDraining()
        let question = Frame.regular(
            IPCMessage.call(id: 9, channel: "window", command: "ask", argument: .undefined)
        ).encoded()
        try stage.server.send(question)
        #expect(try stage.client.frame(1).encoded() == question)
        let count = stage.server.receivedCount
        stage.client.send(Sample.answer(9, "yes"))
        try stage.server.receive(count: count + Sample.answer(9, "yes").count)
        try stage.server.send(Sample.answer(1, "done"))
        #expect(try stage.client.frame(2).encoded() == Sample.answer(1, "done"))
        try stage.client.receiveToEnd()
        stage.client.disappear(reset: false)
        #expect(try stage.bench.gateway.child.wait() == 0)
    }

    @Test("ends when a server is gone that a call waits for")
    func lostServer() throws {
        let stage = try Stage(drain: "10m")
        try stage.beginDraining()
        stage.server.close()
        try stage.client.receiveToEnd()
        stage.client.disappear(reset: false)
        #expect(try stage.bench.gateway.child.wait() == 0)
    }

    @Test("begins no session for who has not asked for one yet")
    func lateSession() throws {
        let stage = try SessionStage()
        let peer = try stage.peer()
        let ending = try peer.dial()
        #expect(ending == nil)
        let (other, server) = try stage.open()
        let count = server.receivedCount
        let id = try other.call("sample", "echo", 1)
        try server.receive(count: count + 1)
        stage.bench.gateway.child.signal(SIGTERM)
        try peer.poll(milliseconds: 60_000) { peer.refusal != nil }
        #expect(peer.refusal?.code == .draining)
        try server.send(Sample.answer(id, 1))
        #expect(try other.answer(to: id) == 1)
        try other.poll(milliseconds: 60_000) { other.refusal != nil }
        #expect(other.refusal?.code == .draining)
        #expect(try stage.bench.gateway.child.wait() == 0)
    }

    @Test("counts a session whose client is away, and to whom something is owed, as cut")
    func detached() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        let count = server.receivedCount
        try peer.call("sample", "echo", 1)
        try server.receive(count: count + 1)
        peer.cut(.reset)
        try stage.bench.gateway.waitForLog("that the session waits") {
            $0["message"] == "client lost; its session waits"
        }
        #expect(try stage.bench.gateway.stop() == 75)
        #expect(stage.bench.gateway.log.last?["cutSessions"] == "1")
    }

    @Test("tells clients that wait in the queue of a Unix socket, instead of resetting them")
    func queuedLocally() throws {
        let bench = try GatewayBench.local { $0.threads = 1 }
        // So that nothing is accepted while the signal waits.
        bench.gateway.child.signal(SIGSTOP)
        let clients = (0..<20).map { _ in bench.connectLocally() }
        bench.gateway.child.signal(SIGTERM)
        bench.gateway.child.signal(SIGCONT)
        for client in clients {
            client.open()
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(client.errorCode == "draining")
            client.disappear(reset: false)
        }
        #expect(try bench.gateway.child.wait() == 0)
    }
}
