// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Several servers behind one connection", .blocking)
struct RoutingTests {
    private static let ready = RecordingUpstream.initialize

    @Test(
        "Calls, listens and reverse calls of two servers interleave; one dies and comes back, the other never notices"
    )
    func oneDies() throws {
        let stage = try TwoServers()
        let client = try stage.bench.open()
        var toMain = TwoServers.call(0, "main") + TwoServers.listen(3, "other")
        let toJobs = TwoServers.call(1, "jobs") + TwoServers.listen(2, "jobs.daily")
        client.send(TwoServers.call(0, "main") + toJobs + TwoServers.listen(3, "other"))
        let main = try stage.bench.recording().connection()
        let jobs = try stage.jobs.connection()
        #expect(try main.receive(count: TwoServers.opening.count + toMain.count) == TwoServers.opening + toMain)
        #expect(try jobs.receive(count: TwoServers.opening.count + toJobs.count) == TwoServers.opening + toJobs)

        // Both answer, fire, and ask the client under the same id.
        try main.send(Self.ready + Sample.answer(0, "main") + TwoServers.call(0, "window", "main asks"))
        let second = try client.frame(2)
        #expect(second.encoded() == TwoServers.call(0, "window", "main asks"))
        try jobs.send(Self.ready + Sample.event(2, "tick") + TwoServers.call(0, "window", "jobs asks"))
        #expect(try client.frame(3).encoded() == Sample.event(2, "tick"))
        #expect(try client.frame(4).encoded() == TwoServers.call(1, "window", "jobs asks"))
        client.send(Sample.answer(1, "to jobs") + Sample.answer(0, "to main"))
        let answeredJobs = TwoServers.opening + toJobs + Sample.answer(0, "to jobs")
        #expect(try jobs.receive(count: answeredJobs.count) == answeredJobs)
        toMain += Sample.answer(0, "to main")

        // One dies with a call open, and with a call of its own.
        try jobs.send(TwoServers.call(7, "window", "last question"))
        #expect(try client.frame(5).encoded() == TwoServers.call(2, "window", "last question"))
        stage.killJobs()
        #expect(try TwoServers.error(client.frame(6), id: 1) == "UpstreamLost")
        #expect(try client.frame(7).encoded() == Frame.regular(IPCMessage.cancel(id: 2)).encoded())
        client.send(TwoServers.call(4, "jobs") + TwoServers.call(5, "main"))
        #expect(try TwoServers.error(client.frame(8), id: 4) == "UpstreamUnavailable")
        toMain += TwoServers.call(5, "main")
        try main.send(Sample.answer(5, "still here") + Sample.event(3, "still here"))
        #expect(try client.frame(9).encoded() == Sample.answer(5, "still here"))
        #expect(try client.frame(10).encoded() == Sample.event(3, "still here"))

        // It comes back, and the subscription is made again without the client's doing.
        try stage.startJobs()
        let again = try stage.jobs.connection()
        let resumed = TwoServers.opening + TwoServers.listen(2, "jobs.daily")
        #expect(try again.receive(count: resumed.count) == resumed)
        try again.send(Self.ready + Sample.event(2, "tock") + TwoServers.call(0, "window", "jobs asks again"))
        #expect(try client.frame(11).encoded() == Sample.event(2, "tock"))
        #expect(try client.frame(12).encoded() == TwoServers.call(3, "window", "jobs asks again"))
        client.send(Sample.answer(2, "too late") + TwoServers.call(6, "jobs"))
        let called = resumed + TwoServers.call(6, "jobs")
        #expect(try again.receive(count: called.count) == called, "nothing about what the dead one asked")

        client.finishSending()
        #expect(try main.receiveToEnd() == TwoServers.opening + toMain)
        try again.receiveToEnd()
        main.close()
        again.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try stage.bench.recording().settledConnections().count == 1)
        let closing = try stage.bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "finished")
        #expect(closing["strays"] == "1")
    }

    @Test("What one client is told of a lost server goes to that client alone, and at once")
    func neighbours() throws {
        let stage = try TwoServers { $0.threads = 1 }
        let neighbour = try stage.bench.open()
        neighbour.send(TwoServers.call(0, "main"))
        let main = try stage.bench.recording().connection()
        try main.send(Self.ready + Sample.answer(0))
        _ = try neighbour.frame(1)
        var clients: [TestClient] = []
        for round in 0..<5 {
            let client = try stage.bench.open()
            clients.append(client)
            client.send(TwoServers.call(7, "jobs"))
            let jobs = try stage.jobs.connection(round)
            try jobs.send(Self.ready)
            try jobs.receive(count: TwoServers.opening.count + TwoServers.call(7, "jobs").count)
            jobs.close()
            #expect(try TwoServers.error(client.frame(1), id: 7) == "UpstreamLost")
            let id = UInt64(round + 1)
            let count = main.receivedCount
            neighbour.send(TwoServers.call(id, "main"))
            try main.receive(count: count + TwoServers.call(id, "main").count)
            try main.send(Sample.answer(id))
            let frame = try neighbour.frame(round + 2).encoded()
            #expect(frame == Sample.answer(id))
        }
        #expect(stage.bench.gateway.closings.isEmpty)
    }

    @Test("A client that has finished is still told that a server was lost with its call")
    func lostAfterTheEnd() throws {
        let stage = try TwoServers()
        let client = try stage.bench.open()
        client.send(TwoServers.call(0, "jobs"))
        client.finishSending()
        let jobs = try stage.jobs.connection()
        try jobs.send(Self.ready)
        jobs.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try TwoServers.error(client.frame(1), id: 0) == "UpstreamLost")
        #expect(try stage.bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    @Test("A server that asks without end and reads nothing is not read any more, and the gateway does not grow")
    func greedyServer() throws {
        let bench = try GatewayBench(isEager: true, logLevel: "info") {
            $0.clients = [#"{ match: { uri: "**" }, context: "remote:alice", allow: [] }"#]
            $0.limits["queueBytes"] = "64KiB"
        }
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: TwoServers.opening.count)
        server.setPaused(true)
        let before = try bench.gateway.residentBytes()
        let asking = Background {
            try server.send(Self.ready + (0..<UInt64(100_000)).flatMap { TwoServers.call($0, "window") })
        }
        var last = -1
        try eventually("the server is held up, or has said everything") {
            let now = try bench.gateway.usage().processorTicks
            defer { last = now }
            letTimePass(milliseconds: 100)
            return now == last
        }
        let growth = try bench.gateway.residentBytes() - before
        #expect(growth < 8 << 20, "\(growth >> 10) KiB")
        server.setPaused(false)
        _ = try asking.value()
        withExtendedLifetime(client) {}
    }

    @Test("Servers that are not used are not dialled, and one that is not there does not matter to the others")
    func lazily() throws {
        let stage = try TwoServers()
        stage.killJobs()
        let client = try stage.bench.open()
        client.send(TwoServers.call(0, "jobs") + TwoServers.call(1, "main"))
        #expect(try TwoServers.error(client.frame(1), id: 0) == "UpstreamUnavailable")
        let expected = TwoServers.opening + TwoServers.call(1, "main")
        let main = try stage.bench.recording().connection()
        #expect(try main.receive(count: expected.count) == expected)
        let line = try stage.bench.gateway.waitForLog("the loss") { $0["lost"] == "jobs" }
        #expect(line["reason"] == "upstream-unavailable")
        // It is tried again when it is wanted.
        try stage.startJobs()
        var id = UInt64(2)
        try eventually("the server that came back is used") {
            client.send(TwoServers.call(id, "jobs"))
            id += 1
            return !stage.jobs.connections.isEmpty
        }
    }

    @Test("A server that does not keep up is Busy, and delays nobody else's calls")
    func busy() throws {
        let stage = try TwoServers { $0.limits["queueBytes"] = "64KiB" }
        let client = try stage.bench.open()
        client.send(TwoServers.call(0, "jobs"))
        let jobs = try stage.jobs.connection()
        try jobs.send(Self.ready)
        jobs.setPaused(true)
        let payload = IPCValue.buffer([UInt8](repeating: 1, count: 32 << 10))
        let calls = 100
        for id in 1...UInt64(calls) { client.send(TwoServers.call(id, "jobs", payload)) }
        client.send(TwoServers.call(1_000, "main"))
        let main = try stage.bench.recording().connection()
        try main.send(Self.ready + Sample.answer(1_000))
        var refused: [UInt64] = []
        var index = 1
        while try client.frame(index).encoded() != Sample.answer(1_000) {
            guard case .failure(let id, let error) = try IPCMessage.decode(client.frame(index).body) else { break }
            #expect(error["name"] == "Busy")
            refused.append(id)
            index += 1
        }
        #expect(!refused.isEmpty)
        // Those that were not refused arrive, when the server goes on.
        jobs.setPaused(false)
        let passed =
            [TwoServers.call(0, "jobs")]
            + (1...UInt64(calls)).filter { !refused.contains($0) }.map { TwoServers.call($0, "jobs", payload) }
        let expected = TwoServers.opening + passed.flatMap(\.self)
        let isSame = try jobs.receive(count: expected.count) == expected
        #expect(isSame)
        client.send(TwoServers.call(1_001, "jobs"))
        let more = expected + TwoServers.call(1_001, "jobs")
        let isGood = try jobs.receive(count: more.count) == more
        #expect(isGood)
    }

    @Test("A malformed frame of one server parts with it alone")
    func malformed() throws {
        let stage = try TwoServers()
        let client = try stage.bench.open()
        client.send(TwoServers.call(0, "jobs") + TwoServers.call(1, "main"))
        let jobs = try stage.jobs.connection()
        let main = try stage.bench.recording().connection()
        try jobs.send(Self.ready + [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
        #expect(try TwoServers.error(client.frame(1), id: 0) == "UpstreamLost")
        try jobs.receiveToEnd()
        try main.send(Self.ready + Sample.answer(1))
        #expect(try client.frame(2).encoded() == Sample.answer(1))
    }

    @Test("A server whose loss is to end the connection ends it, and one alone may be waited for")
    func byChoice() throws {
        let strict = try TwoServers(jobs: ["whenLost": "close"])
        let client = try strict.bench.open()
        client.send(TwoServers.call(0, "jobs"))
        try strict.jobs.connection().receive(count: TwoServers.opening.count)
        strict.killJobs()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(try strict.bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")

        let bench = try GatewayBench { $0.upstreams[0].members["whenLost"] = "redial" }
        let patient = try bench.open()
        patient.send(TwoServers.listen(0, "c") + TwoServers.call(1, "c"))
        let first = try bench.recording().connection()
        try first.send(Self.ready)
        first.close()
        #expect(try TwoServers.error(patient.frame(1), id: 1) == "UpstreamLost")
        let second = try bench.recording().connection(1)
        let expected = TwoServers.opening + TwoServers.listen(0, "c")
        #expect(try second.receive(count: expected.count) == expected)
        try second.send(Self.ready + Sample.event(0))
        #expect(try patient.frame(2).encoded() == Sample.event(0))
    }

    @Test("An identity is led to the servers of its entry")
    func byIdentity() throws {
        let stage = try TwoServers {
            $0.clients = [
                #"{ match: { uri: "**" }, context: "remote:alice", upstream: jobs, \#(GatewayConfigurationText.everything) }"#,
                #"{ match: { commonName: ops }, context: "ops", upstream: main, \#(GatewayConfigurationText.everything) }"#,
            ]
        }
        let alice = try stage.bench.open()
        alice.send(TwoServers.call(0, "main") + TwoServers.call(1, "jobs.daily"))
        #expect(try TwoServers.error(alice.frame(1), id: 0) == "Unknown channel")
        let jobs = try stage.jobs.connection()
        let expected = TwoServers.opening + TwoServers.call(1, "jobs.daily")
        #expect(try jobs.receive(count: expected.count) == expected)
        let ops = try stage.bench.open(stage.bench.ops())
        ops.send(TwoServers.call(0, "jobs"))
        let main = try stage.bench.recording().connection()
        let toMain = RecordingUpstream.opening(context: "ops") + TwoServers.call(0, "jobs")
        #expect(try main.receive(count: toMain.count) == toMain)
    }
}
