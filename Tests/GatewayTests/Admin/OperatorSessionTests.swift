// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Sessions for operators", .blocking)
struct OperatorSessionTests {
    @Test("are listed page by page, by identity and context")
    func list() throws {
        let bench = try GatewayBench.administered()
        let alice = try (0..<3).map { _ in try bench.open() }
        let ops = try bench.open(try bench.ops())
        let all = try bench.askJSON("GET", "/sessions")
        #expect(all.value["matching"]?.double == 4)
        let sessions = all.value["sessions"]?.array ?? []
        #expect(Set(sessions.compactMap { $0["identity"]?.string }) == ["spiffe://example.org/dev/alice", "ops"])
        #expect(sessions.allSatisfy { $0["tls"]?.string != nil && $0["detached"] == .bool(false) })
        let filtered = try bench.askJSON("GET", "/sessions?identity=spiffe%3A%2F%2Fexample.org%2Fdev%2Falice")
        #expect(filtered.value["sessions"]?.array?.count == 3)
        let context = try bench.askJSON("GET", "/sessions?context=test")
        #expect(context.value["sessions"]?.array?.count == 1)
        var ids: [Double] = []
        var after = 0
        for _ in 0..<4 {
            let page = try bench.askJSON("GET", "/sessions?limit=1&after=\(after)").value
            ids += (page["sessions"]?.array ?? []).compactMap { $0["id"]?.double }
            after = Int(page["next"]?.double ?? 0)
        }
        #expect(ids.count == 4)
        #expect(ids == ids.sorted())
        #expect(after == 0)
        #expect((alice + [ops]).allSatisfy { $0.ending == nil })
    }

    @Test("are closed one at a time, and the client learns why")
    func closeOne() throws {
        let bench = try GatewayBench.administered { $0.audit = "{ file: audit.jsonl }" }
        let (first, second) = (try bench.open(), try bench.open())
        let ids = try bench.askJSON("GET", "/sessions").value["sessions"]?.array?.compactMap { $0["id"]?.double } ?? []
        let id = try #require(ids.first)
        let answer = try bench.askJSON("DELETE", "/sessions/\(Int(id))")
        #expect((answer.status, answer.value["closed"]?.double) == (200, 1))
        try eventually("one of them is gone") {
            _ = first.receiveSome(milliseconds: 10)
            _ = second.receiveSome(milliseconds: 10)
            return first.ending != nil || second.ending != nil
        }
        #expect((first.ending == nil) != (second.ending == nil))
        let closed = first.ending == nil ? second : first
        #expect(String(decoding: closed.received, as: UTF8.self).contains("closed-by-operator"))
        let line = try bench.gateway.waitForClosings(1)
        #expect((line["reason"], line["detail"]) == ("closed-by-operator", "closed by the operator"))
        try eventually("the audit log says it") {
            let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
            return text.contains("\"closed-by-operator\"")
        }
        #expect(try bench.ask("DELETE", "/sessions/\(Int(id))").status == 404)
    }

    @Test("are closed all at once for an identity, those included whose client is away; others stay")
    func closeAll() throws {
        let stage = try SessionStage { text in
            text.admin = "{ unix: admin.sock }"
            text.threads = 2
        }
        let bench = stage.bench
        try bench.gateway.waitForLog("the endpoint") { $0["message"] == "operators are served" }
        let (peer, _) = try stage.open()
        peer.cut()
        try bench.gateway.waitForLog("the loss") { $0["message"]?.hasPrefix("client lost") == true }
        let plain = try bench.open()
        let ops = try bench.open(try bench.ops())
        let detached = try bench.metrics()["sessions{client=\"detached\"}"]
        #expect(detached == 1)
        let answer = try bench.askJSON(
            "POST",
            "/sessions/close?identity=spiffe%3A%2F%2Fexample.org%2Fdev%2Falice"
        )
        #expect(answer.value["closed"]?.double == 2)
        _ = try plain.receiveToEnd()
        #expect(ops.ending == nil)
        let reply = try peer.resume()
        #expect(SessionStage.code(reply) == .closedByOperator, "\(reply)")
    }
}
