// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Sessions in trouble", .blocking)
struct SessionTroubleTests {
    private static func lost(_ stage: SessionStage) -> [GatewayProcess.LogLine] {
        stage.bench.gateway.log.filter { $0["message"] == "client lost; its session waits" }
    }

    @Test("A client that says something is not taken for dead, however long it acknowledges nothing")
    func slowAcknowledgement() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open(stage.peer(acknowledging: .never))
        try server.send(Sample.event(0, 1))
        try peer.poll(milliseconds: 24_000)
        #expect(peer.isConnected)
        #expect(Self.lost(stage).isEmpty)
        try peer.disconnect()
    }

    @Test("A failure of TLS is a lost connection, not the end of the session")
    func brokenTLS() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        try peer.corruptTLS()
        try stage.bench.gateway.waitForLog("the loss") { $0["message"] == "client lost; its session waits" }
        try server.send(Sample.event(0, 1))
        peer.cut(.reset)
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
        try peer.disconnect()
    }

    @Test("What a client said before its Disconnect reaches a server that wants to be read first")
    func blockedServer() throws {
        let stage = try SessionStage {
            $0.sessions = ["windowBytes": "64KiB"]
            $0.timeouts = ["drain": "60s"]
        }
        let (peer, server) = try stage.open(stage.peer(acknowledging: .never))
        server.setPaused(true)
        let before = server.receivedCount
        let events = (0..<4000).flatMap {
            Sample.event(0, .array([IPCValue($0), IPCValue(String(repeating: "x", count: 1000))]))
        }
        let sending = Background { [server] in try server.send(events) }
        // The gateway does not read the server any more, and the server reads when it has written.
        try peer.pump(milliseconds: patient(10_000)) { peer.receivedCount > 50 }
        var asked = 0
        for number in 0..<12 {
            let payload = IPCValue(String(repeating: "y", count: 100_000))
            asked +=
                Sample.call(
                    try peer.call("sample", "echo", .array([IPCValue(number), payload])),
                    .array([IPCValue(number), payload])
                ).count
        }
        try peer.disconnect()
        try eventually("the server has written everything") { sending.isDone }
        server.setPaused(false)
        #expect(try server.receiveToEnd(within: .seconds(60)).count == before + asked)
    }

    @Test("Where one of several servers may not be lost, its end comes when the client has everything")
    func oneOfSeveralEnds() throws {
        let stage = try TwoServers(jobs: ["whenLost": "close"])
        let peer = try PersistentPeer(port: stage.bench.gateway.port, tls: stage.bench.tls(try stage.bench.alice()))
        try SessionStage.expectOK(try peer.connect())
        try peer.announce()
        try peer.waitUntilReady()
        let id = try peer.listen("jobs", "onDo")
        let jobs = try stage.jobs.connection()
        try jobs.receive(count: TwoServers.opening.count + TwoServers.listen(id, "jobs").count)
        try jobs.send(RecordingUpstream.initialize)
        peer.cut(.reset)
        try jobs.send((0..<3000).flatMap { Sample.event(id, IPCValue($0)) })
        jobs.close()
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: id, atLeast: 3000) == (0..<3000).map { IPCValue($0) })
        try peer.poll(milliseconds: patient(10_000)) { peer.isDisconnectedByPeer }
        #expect(peer.isDisconnectedByPeer)
    }

    @Test("A burst of small events for a client that is away is held back, however small the limits are")
    func burst() throws {
        let stage = try SessionStage {
            $0.limits = ["callsOutstanding": "4", "listens": "4"]
            $0.sessions = ["windowMessages": "64"]
        }
        let settings = SessionSettings(window: SessionWindow(messages: 64, bytes: 1 << 20))
        let (peer, server) = try stage.open(stage.peer(settings: settings))
        peer.cut(.reset)
        let events = (0..<50_000).flatMap { Sample.event(0, IPCValue($0)) }
        let sending = Background { [server] in try server.send(events) }
        letTimePass(milliseconds: 200)
        try SessionStage.expectOK(try peer.resume())
        let came = try peer.events(of: 0, atLeast: 50_000, milliseconds: patient(60_000))
        #expect(came == (0..<50_000).map { IPCValue($0) })
        try sending.value()
        try peer.disconnect()
    }

    @Test("A client that is silent while nothing is owed to it is away, not gone")
    func idle() throws {
        let stage = try SessionStage { $0.timeouts = ["idle": "300ms"] }
        let (peer, server) = try stage.open()
        peer.cut(.silence)
        let line = try stage.bench.gateway.waitForLog("the loss") { $0["message"] == "client lost; its session waits" }
        #expect(line["reason"] == "idle-timeout")
        try server.send(Sample.event(0, 1))
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
    }
}
