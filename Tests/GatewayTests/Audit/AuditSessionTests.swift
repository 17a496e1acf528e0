// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("The audit log of a session", .blocking)
struct AuditSessionTests {
    /// One request of the session.
    private struct Step {
        var isCall = true
        var fromServer = false
        var channel: IPCString
        var name: IPCString
        /// Whether the rules that were learned let it pass; nil when it was denied in the first place.
        var passes = true

        func frame(_ id: UInt64) -> [UInt8] {
            let message =
                isCall
                ? IPCMessage.call(id: id, channel: channel, command: name, argument: "secret argument")
                : IPCMessage.listen(id: id, channel: channel, event: name, argument: .undefined)
            return Frame.regular(message).encoded()
        }

        var text: String {
            "\(fromServer ? "server" : "client") \(isCall ? "call" : "listen") \(channel).\(name)"
        }
    }

    private static let steps = [
        Step(channel: "storage", name: "get"), Step(channel: "storage", name: "set"),
        Step(channel: "storage", name: "get"), Step(isCall: false, channel: "storage", name: "onDidChange"),
        Step(channel: "odd * name", name: "a.b \"c\""), Step(channel: "caf\u{e9}", name: "get"),
        Step(fromServer: true, channel: "window", name: "show"),
        Step(channel: "storage", name: "drop", passes: false),
    ]

    private static let rules =
        #"allow: [{ channel: "*", call: ["*"], listen: ["*"] }, "#
        + #"{ from: server, channel: "*", call: ["*"] }], deny: [{ name: no drops, channel: "*", call: [drop] }]"#

    /// Plays the session: what passes is answered by the other side.
    ///
    /// - Returns: What arrived, in the words of `Step.text`.
    private static func play(_ bench: GatewayBench, _ steps: [Step]) throws -> [String] {
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        var arrived: [String] = []
        var expected = try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count).count
        var frames = 1
        for (index, step) in steps.enumerated() {
            let id = UInt64(index)
            let frame = step.frame(id)
            if step.fromServer { try server.send(frame) } else { client.send(frame) }
            // An echo behind it shows that it has been judged.
            let fence = Frame.regular(IPCMessage.call(id: 100 + id, channel: "storage", command: "get")).encoded()
            client.send(fence)
            let answer = Frame.regular(IPCMessage.success(id: 100 + id)).encoded()
            let all = try server.receive(count: expected + fence.count)
            let got = all.dropFirst(expected)
            if !step.fromServer, got.starts(with: frame) {
                arrived.append(step.text)
                _ = try server.receive(count: expected + frame.count + fence.count)
                expected += frame.count
                if step.isCall {
                    try server.send(Frame.regular(IPCMessage.success(id: id)).encoded())
                    frames += 1
                }
            } else if !step.fromServer, step.isCall {
                frames += 1
            }
            expected += fence.count
            try server.send(answer)
            if step.fromServer {
                // It, or nothing, comes before the answer.
                let first = try client.frame(frames).encoded()
                if first == frame {
                    arrived.append(step.text)
                    frames += 1
                    client.send(Frame.regular(IPCMessage.success(id: id)).encoded())
                    expected += Frame.regular(IPCMessage.success(id: id)).encoded().count
                    _ = try server.receive(count: expected)
                } else {
                    expected = server.receivedCount
                }
            }
            _ = try client.frame(frames)
            frames += 1
        }
        client.finishSending()
        try server.receiveToEnd()
        server.close()
        try client.receiveToEnd()
        try bench.gateway.waitForClosings(1)
        #expect(try bench.gateway.stop() == 0)
        return arrived
    }

    private static func bench(_ client: String) throws -> GatewayBench {
        try GatewayBench(isEager: true) {
            $0.audit = "{ file: audit.jsonl }"
            $0.clients = [client]
        }
    }

    @Test("says exactly what was called, and the rules that are learned of it let pass that and nothing else")
    func learn() throws {
        let match = #"match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}""#
        let bench = try Self.bench("{ \(match), \(Self.rules) }")
        let arrived = try Self.play(bench, Self.steps)
        #expect(arrived == Self.steps.filter(\.passes).map(\.text))

        // Without what only shows that something has been judged.
        let file = bench.directory.file("audit.jsonl")
        let lines = try Self.lines(file)
        #expect(lines.first?["type"] as? String == "open")
        #expect(lines.last?["type"] as? String == "close")
        #expect(lines.last?["reason"] as? String == "finished")
        #expect(lines.last?["calls"] as? Int == 2 * Self.steps.count)
        #expect(lines.allSatisfy { $0["context"] as? String == "remote:alice" })
        var said = lines.filter { ["call", "listen"].contains($0["type"] as? String) }
        for _ in Self.steps {
            let fence = said.lastIndex { $0["channel"] as? String == "storage" && $0["command"] as? String == "get" }
            said.remove(at: try #require(fence))
        }
        let outcomes = said.map { "\(Self.text($0)) \($0["outcome"] as? String ?? "")" }
        let expected = Self.steps.filter { $0.text != "client call storage.get" }.map { step in
            "\(step.text) \(step.passes ? step.isCall ? "ok" : "open" : "denied")"
        }
        #expect(
            outcomes.filter { !$0.hasSuffix(" closed") && !$0.contains("storage.get") }.sorted() == expected.sorted()
        )
        #expect(said.first { $0["outcome"] as? String == "denied" }?["rule"] as? String == "no drops")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(!text.contains("secret argument"), "arguments are off")

        // What is learned of it.
        let learned = try PolicyStage.run("policy", "learn", file)
        #expect(learned.status == 0, "\(learned.errors)")
        let yaml = learned.output
        let again = try GatewayBench(isEager: true) { $0.verbatimClients = yaml }
        let others = [
            Step(channel: "storage", name: "clear", passes: false), Step(channel: "other", name: "get", passes: false),
            Step(isCall: false, channel: "storage", name: "get", passes: false),
            Step(channel: "storage", name: "onDidChange", passes: false),
            Step(fromServer: true, channel: "storage", name: "get", passes: false),
            Step(channel: "window", name: "show", passes: false),
            Step(channel: "odd x name", name: "a.b \"c\"", passes: false),
            Step(channel: "cafe\u{301}", name: "get", passes: false),
        ]
        let second = try Self.play(again, Self.steps + others)
        #expect(second == Self.steps.filter(\.passes).map(\.text), "\(yaml)")
    }

    private static func lines(_ file: String) throws -> [[String: Any]] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
    }

    private static func text(_ line: [String: Any]) -> String {
        let name = line["command"] as? String ?? line["event"] as? String ?? ""
        return
            "\(line["from"] as? String ?? "") \(line["type"] as? String ?? "") \(line["channel"] as? String ?? "").\(name)"
    }
}
