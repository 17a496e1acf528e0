// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import TLSEngine
import Testing

@testable import GatewayCore

@Suite("What a session tells the audit log")
struct RecordTests {
    private static func bench(
        _ recording: RequestRecording = RequestRecording(),
        upstreams: [GatewayConfiguration.Upstream] = SessionBench.two
    ) throws -> SessionBench {
        var terms = SessionBench.terms(upstreams: upstreams)
        terms.recording = recording
        var bench = try SessionBench(terms)
        for index in upstreams.indices { _ = bench.session.openUpstream(index) }
        return bench
    }

    private static func lines(_ bench: inout SessionBench) -> [String] {
        bench.session.takeRecords().map { record in
            let name = String(decoding: record.channel + [0x2E] + record.name, as: UTF8.self)
            let from = record.direction == .fromClient ? "" : " from server"
            return "\(name)\(from) \(record.outcome.rawValue) \((record.endedAt - record.startedAt) / 1_000_000)ms"
        }
    }

    @Test("is each request with what became of it, once")
    func outcomes() throws {
        var bench = try Self.bench()
        _ = bench.client(SessionBench.call(0))
        _ = bench.client(SessionBench.call(1))
        _ = bench.client(SessionBench.call(2))
        _ = bench.client(SessionBench.call(3, "other.get"))
        _ = bench.client(SessionBench.call(4, "test.secret"))
        _ = bench.client(SessionBench.listen(5, "test.onSecret"))
        _ = bench.client(SessionBench.listen(6))
        _ = bench.client(SessionBench.call(7))
        _ = bench.server(SessionBench.call(0, "window.show"), 0)
        bench.now += 5_000_000
        _ = bench.server(IPCMessage.success(id: 0, result: 1), 0)
        _ = bench.server(IPCMessage.failure(id: 1, name: "E", message: "m"), 0)
        _ = bench.client(IPCMessage.cancel(id: 2))
        _ = bench.server(IPCMessage.failure(id: 2, name: "Canceled", message: "Canceled"), 0)
        _ = bench.server(IPCMessage.event(id: 6, payload: 1), 0)
        _ = bench.client(IPCMessage.unlisten(id: 6))
        _ = bench.client(IPCMessage.success(id: 0))
        _ = bench.session.lostUpstream(1, wasReached: true, at: bench.now)
        _ = bench.client(SessionBench.call(8, "other.get"))
        bench.session.close(at: bench.now + 1_000_000)
        let lines = Self.lines(&bench)
        #expect(
            lines == [
                "test.secret denied 0ms", "test.onSecret denied 0ms", "test.onPing open 0ms", "test.echo ok 5ms",
                "test.echo error 5ms", "test.echo cancelled 5ms", "test.onPing ended 5ms",
                "window.show from server ok 5ms", "other.get lost 5ms", "other.get unavailable 0ms",
                "test.echo closed 6ms",
            ]
        )
        #expect(bench.session.requestCount == 10)
    }

    @Test("has sizes, the server, the rule, and of the argument as much as is wanted")
    func members() throws {
        var bench = try Self.bench(RequestRecording(argumentBytes: 4))
        let call = IPCMessage.call(id: 0, channel: "test", command: "echo", argument: "a long argument")
        _ = bench.client(call)
        let answer = IPCMessage.success(id: 0, result: "x")
        _ = bench.server(answer, 0)
        let record = try #require(bench.session.takeRecords().first)
        #expect(record.upstream == "main")
        #expect(record.rule == "echoing")
        #expect(record.requestBytes == 13 + call.count)
        #expect(record.answerBytes == 13 + answer.count)
        #expect(record.argument == [1, 15, 0x61, 0x20])
        _ = bench.client(SessionBench.listen(1))
        let event = IPCMessage.event(id: 1, payload: 1)
        for _ in 0..<3 { _ = bench.server(event, 0) }
        _ = bench.client(IPCMessage.unlisten(id: 1))
        let listens = bench.session.takeRecords()
        #expect(listens.map(\.events) == [0, 3])
        #expect(listens.map(\.answerBytes) == [0, 3 * (13 + event.count)])
    }

    @Test("is a share of what is allowed, and all that is not, or that takes too long")
    func sampling() throws {
        var bench = try Self.bench(RequestRecording(sample: 0.25))
        for id in UInt64(0)..<100 {
            _ = bench.client(SessionBench.call(id))
            _ = bench.server(IPCMessage.success(id: id), 0)
        }
        let sampled = bench.session.takeRecords()
        #expect(sampled.count == 25)
        var strict = try Self.bench(RequestRecording(includesAllowed: false))
        _ = strict.client(SessionBench.call(0))
        _ = strict.server(IPCMessage.success(id: 0), 0)
        _ = strict.client(SessionBench.call(1, "test.secret"))
        _ = strict.client(SessionBench.call(2, "test.slow"))
        _ = strict.client(SessionBench.call(3, "test.slow"))
        _ = strict.server(IPCMessage.success(id: 3), 0)
        _ = strict.wait(5_000_000_000)
        let lines = Self.lines(&strict)
        #expect(lines == ["test.secret denied 0ms", "test.slow deadline-exceeded 5000ms"])
    }

    @Test("is that the policy denied a request, whatever the limits would have said")
    func deniedBeyondLimits() throws {
        for denial in AnswerSettings.Denial.allCases {
            var terms = SessionBench.terms()
            terms.recording = RequestRecording()
            terms.answers.denial = denial
            terms.clientLimits.callsPerSecond = 1
            terms.clientLimits.callsOutstanding = 1
            var bench = try SessionBench(terms)
            _ = bench.client(SessionBench.call(0))
            _ = bench.client(SessionBench.call(1))
            _ = bench.client(SessionBench.call(2, "test.secret"))
            let records = bench.session.takeRecords()
            #expect(records.map(\.outcome) == [.limit, .denied])
            #expect(records.map(\.rule) == ["echoing", nil])
        }
    }

    @Test("keeps so many bytes of arguments, whatever else comes and goes, and says where one was left out")
    func argumentBound() throws {
        var terms = SessionBench.terms()
        terms.recording = RequestRecording(argumentBytes: 1000)
        terms.limits.queueBytes = 10_000
        var bench = try SessionBench(terms)
        for id in UInt64(0)..<1_000 {
            let argument = IPCValue(String(repeating: "x", count: 900))
            _ = bench.client(IPCMessage.listen(id: id, channel: "test", event: "onPing", argument: argument))
            _ = bench.client(IPCMessage.unlisten(id: id))
        }
        _ = bench.session.takeRecords()
        for id in UInt64(0)..<20 {
            let argument = IPCValue(String(repeating: "x", count: 900))
            _ = bench.client(IPCMessage.call(id: id, channel: "test", command: "echo", argument: argument))
        }
        for id in UInt64(0)..<20 { _ = bench.server(IPCMessage.success(id: id)) }
        let records = bench.session.takeRecords()
        let leftOut = ValueEncoder.encode(.object(["$unreadable": "room"]))
        #expect(records.count { $0.argument.count == 903 } == 11)
        #expect(records.count { $0.argument == leftOut } == 9)
        #expect(bench.session.openArgumentBytes == 0)
    }

    @Test("is the right share of connections with a single request, too")
    func sampledConnections() throws {
        let yaml = """
            listeners: [{ address: "127.0.0.1:1", tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: m } }
            audit: { file: a, sample: 0.5 }
            """
        let settings = try #require(try GatewayConfiguration(yaml: yaml, file: "g.yaml").audit)
        var count = 0
        for _ in 0..<400 {
            var recording = try #require(RequestRecording(settings))
            if recording.takesNext() { count += 1 }
        }
        #expect((100...300).contains(count), "\(count) of 400")
    }

    @Test("is nothing when there is no audit log")
    func nothing() throws {
        var bench = try SessionBench()
        _ = bench.client(SessionBench.call(0))
        _ = bench.client(SessionBench.call(1, "test.secret"))
        bench.session.close(at: bench.now)
        let records = bench.session.takeRecords()
        #expect(records.isEmpty)
    }

    @Test("says where the shadow policy disagrees, and counts it")
    func shadow() throws {
        let yaml = """
            listeners: [{ address: "127.0.0.1:1", tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: m } }
            clients:
              - { match: { commonName: alice }, context: c, allow: [{ channel: test, call: [echo, old] }] }
            shadow:
              clients:
                - { match: { commonName: alice }, context: c, allow: [{ name: next, channel: test, call: [echo, new] }] }
            """
        let configuration = try GatewayConfiguration(yaml: yaml, file: "g.yaml")
        var terms = SessionBench.terms(grant: .assigned("c"))
        terms.policy = configuration.clients[0].policy
        let policy = try #require(configuration.shadow)
        let identity = PeerIdentity.certificate(.init(commonNames: ["alice"]))
        terms.shadow = .init(policy: policy, identity: identity)
        terms.recording = RequestRecording(includesAllowed: false)
        var bench = try SessionBench(terms)
        for (id, name) in ["test.echo", "test.old", "test.new", "test.none"].enumerated() {
            _ = bench.client(SessionBench.call(UInt64(id), name))
            _ = bench.server(IPCMessage.success(id: UInt64(id)))
        }
        let records = bench.session.takeRecords()
        #expect(records.map(\.outcome) == [.ok, .denied, .denied])
        #expect(records.map(\.shadow) == [.init(isAllowed: false), .init(isAllowed: true, rule: "next"), nil])
        #expect(bench.session.shadowCount == 2)
    }
}
