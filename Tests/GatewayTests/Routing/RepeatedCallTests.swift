// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Calls that may be repeated, and a server that is killed", .blocking)
struct RepeatedCallTests {
    private static func call(_ id: UInt64, _ name: String, _ argument: IPCValue = .undefined) -> [UInt8] {
        let parts = name.split(separator: ".").map { IPCString(String($0)) }
        return Frame.regular(IPCMessage.call(id: id, channel: parts[0], command: parts[1], argument: argument))
            .encoded()
    }

    /// A gateway that repeats `storage.get` and `sample.echo`.
    private static func bench(_ upstream: GatewayBench.Upstream = .recording, queueBytes: String = "1MiB") throws
        -> GatewayBench
    {
        try GatewayBench(upstream: upstream) {
            $0.upstreams[0].members["whenLost"] = "redial"
            $0.upstreams[0].members["idempotent"] =
                "[{ channel: storage, call: [get] }, { channel: sample, call: [echo] }]"
            $0.clients = [
                #"{ match: { uri: "**" }, context: "remote:alice", allow: [{ channel: "*", call: ["*"], listen: ["*"] }], "#
                    + #"deny: [{ channel: fence, call: ["*"] }] }"#
            ]
            $0.limits["queueBytes"] = queueBytes
            $0.audit = "{ file: audit.jsonl }"
        }
    }

    /// Stops a process, and waits until all of its threads have stopped.
    private static func suspend(_ process: pid_t) throws {
        kill(process, SIGSTOP)
        let tasks = "/proc/\(process)/task"
        try eventually("the process stops") {
            try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { thread in
                let text = try String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8)
                // The state is behind the name, which is in parentheses.
                return text.split(separator: ")").last?.hasPrefix(" T") == true
            }
        }
    }

    /// What the audit log says of calls: what, how it ended, and how often it was repeated.
    private static func audited(_ bench: GatewayBench) throws -> [String] {
        let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            guard members["type"] as? String == "call", members["channel"] as? String != "fence" else { return nil }
            let what = "\(members["channel"] ?? "").\(members["command"] ?? "") \(members["outcome"] ?? "")"
            return members["repeats"].map { "\(what) \($0)" } ?? what
        }
    }

    @Test("A real server is killed and started again: what may be repeated is answered by the new one, once")
    func killed() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sample.sock")
        var server = try SampleServer(path)
        let bench = try Self.bench(.at(path))
        let client = try bench.open()
        client.send(Self.call(0, "sample.echo", ["first"]))
        #expect(try client.frame(1).encoded() == Sample.answer(0, ["first"]))
        // It answers nothing any more, and has the calls before the gateway answers the one behind them.
        try Self.suspend(server.child.pid)
        let calls: [(UInt64, String, IPCValue)] = [
            (1, "sample.echo", ["again"]), (2, "storage.set", ["key", "value"]), (3, "storage.get", "key"),
        ]
        for (id, name, argument) in calls { client.send(Self.call(id, name, argument)) }
        client.send(Self.call(4, "fence.x"))
        #expect(try TwoServers.error(client.frame(2), id: 4) == "AccessDenied")
        server.child.signal(SIGKILL)
        #expect(try TwoServers.error(client.frame(3), id: 2) == "UpstreamLost")
        try server.child.wait()
        // Until it is back the gateway finds nobody at the socket, which is not counted.
        _ = try bench.gateway.waitForLog("a dial in vain") { $0["reason"] == "upstream-unavailable" }
        server = try SampleServer(path)
        #expect(try client.frame(4).encoded() == Sample.answer(1, ["again"]))
        // The new server has never heard of the key.
        #expect(try client.frame(5).encoded() == Sample.answer(3))
        client.send(Self.call(5, "sample.echo", ["last"]))
        #expect(try client.frame(6).encoded() == Sample.answer(5, ["last"]))
        client.finishSending()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.frames.count == 7, "one answer for each")
        _ = try bench.gateway.waitForClosings(1)
        let expected = [
            "sample.echo ok", "storage.set lost", "sample.echo ok 1", "storage.get ok 1", "sample.echo ok",
        ]
        try eventually("the audit log says so") { try Self.audited(bench) == expected }
    }

    @Test(
        "The new server gets each of them once, behind the subscriptions, also when they are large and it reads slowly"
    )
    func large() throws {
        let bench = try Self.bench(queueBytes: "512KiB")
        let client = try bench.open()
        let payload = IPCValue.buffer([UInt8](repeating: 5, count: 100_000))
        let calls = (0..<5).map { Self.call(UInt64($0), "storage.get", payload) }
        let listen = TwoServers.listen(10, "storage")
        client.send(calls.flatMap(\.self) + listen + Self.call(11, "storage.set"))
        let first = try bench.recording().connection()
        try first.send(RecordingUpstream.initialize)
        let asked = TwoServers.opening + calls.flatMap(\.self) + listen + Self.call(11, "storage.set")
        let isSame = try first.receive(count: asked.count) == asked
        #expect(isSame)
        first.close()
        #expect(try TwoServers.error(client.frame(1), id: 11) == "UpstreamLost")
        let second = try bench.recording().connection(1)
        second.setPaused(true)
        client.send(Self.call(12, "storage.set"))
        second.setPaused(false)
        let again = TwoServers.opening + listen + calls.flatMap(\.self)
        let isRepeated = try second.receive(count: again.count).prefix(again.count) == again[...]
        #expect(isRepeated)
        try second.send(RecordingUpstream.initialize + (0..<5).flatMap { Sample.answer(UInt64($0)) })
        // The call that came meanwhile found no server, a full queue, or its way.
        let answers = (0..<5).map { Sample.answer(UInt64($0)) }
        try eventually("all are answered, in order") {
            client.receiveSome(milliseconds: 10)
            return client.frames.map { $0.encoded() }.filter { answers.contains($0) } == answers
        }
    }
}
