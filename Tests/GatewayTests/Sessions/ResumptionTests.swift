// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Sessions that outlive their connections", .blocking)
struct ResumptionTests {
    @Test("speak the persistent protocol to the client, and the plain one to the server")
    func plainBehind() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        let id = try peer.call("sample", "echo", "hello")
        let asked = SessionStage.opening + Sample.listen(0) + Sample.call(id, "hello")
        #expect(try server.receive(count: asked.count) == asked)
        try server.send(Sample.answer(id, "hello") + Sample.event(0, 1))
        #expect(try peer.answer(to: id) == "hello")
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
        try peer.disconnect()
        #expect(try server.receiveToEnd() == asked)
        let closing = try stage.bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "finished")
        #expect(closing["resumptions"] == "0")
    }

    @Test("go on after a loss, with everything that was sent meanwhile, once", arguments: PersistentPeer.Cut.allCases)
    func resumed(_ cut: PersistentPeer.Cut) throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        for round in 0..<5 {
            let count = server.receivedCount
            let id = try peer.call("sample", "echo", IPCValue(round))
            try server.receive(count: count + 1)
            try server.send(SessionStage.events(round * 10..<round * 10 + 5))
            peer.cut(cut)
            try server.send(Sample.answer(id, IPCValue(round)) + SessionStage.events(round * 10 + 5..<round * 10 + 10))
            try SessionStage.expectOK(try peer.resume())
            #expect(try peer.answer(to: id) == IPCValue(round))
        }
        #expect(try peer.events(of: 0, atLeast: 50) == (0..<50).map { IPCValue($0) })
        #expect(try stage.bench.recording().settledConnections().count == 1)
        try peer.disconnect()
        #expect(try stage.bench.gateway.waitForClosings(1)["resumptions"] == "5")
    }

    @Test("are found from every thread, whichever has them")
    func threads() throws {
        let stage = try SessionStage { $0.threads = 4 }
        let peers = try (0..<4).map { index in
            let opened = try stage.open(index: index)
            return (peer: opened.0, server: opened.1)
        }
        for round in 0..<10 {
            for (peer, server) in peers {
                peer.cut(.reset)
                try server.send(Sample.event(0, IPCValue(round)))
                try SessionStage.expectOK(try peer.resume())
            }
        }
        for (peer, _) in peers {
            #expect(try peer.events(of: 0, atLeast: 10) == (0..<10).map { IPCValue($0) })
            try peer.disconnect()
        }
        try stage.bench.gateway.waitForClosings(4)
    }

    @Test("keep what the client sent and the gateway had, and get the rest again")
    func fromClient() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        var asked = SessionStage.opening + Sample.listen(0)
        for number in 0..<100 {
            let id = try peer.call("sample", "echo", IPCValue(number))
            asked += Sample.call(id, IPCValue(number))
            if number % 10 == 3 { peer.cut(.finish) }
            if number % 10 == 7 { try SessionStage.expectOK(try peer.resume()) }
        }
        #expect(try server.receive(count: asked.count) == asked)
        try peer.disconnect()
        #expect(try server.receiveToEnd() == asked)
    }

    @Test("go over to the newer of two connections, and the older is told so")
    func takeOver() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        let twin = try peer.twin()
        try SessionStage.expectOK(try twin.resume())
        try server.send(Sample.event(0, "to the newer one"))
        #expect(try twin.events(of: 0, atLeast: 1) == ["to the newer one"])
        try peer.poll(milliseconds: patient(10_000)) { peer.refusal != nil }
        #expect(peer.refusal?.code == .takenOver)
        try twin.disconnect()
        #expect(try stage.bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    @Test("end with a Disconnect, and cannot be had again")
    func disconnect() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        let twin = try peer.twin()
        try peer.disconnect()
        try server.receiveToEnd()
        try stage.bench.gateway.waitForClosings(1)
        #expect(SessionStage.code(try twin.resume()) == .unknownSession)
    }

    @Test("end when the server ends, after the client has everything", arguments: [false, true])
    func serverEnds(_ isAway: Bool) throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        if isAway { peer.cut(.reset) }
        try server.send(SessionStage.events(0..<1000))
        server.close()
        if isAway { try SessionStage.expectOK(try peer.resume()) }
        #expect(try peer.events(of: 0, atLeast: 1000).count == 1000)
        try peer.poll(milliseconds: patient(10_000)) { peer.isDisconnectedByPeer }
        #expect(peer.isDisconnectedByPeer)
        #expect(try stage.bench.gateway.waitForClosings(1)["reason"] == "upstream-closed")
    }

    @Test("hold back a server when the client is away and the window is full, and lose nothing")
    func windowIsFull() throws {
        let stage = try SessionStage { $0.sessions = ["windowBytes": "64KiB"] }
        // One that acknowledges by time alone would take a window every few seconds.
        let small = SessionSettings(window: SessionWindow(messages: 1000, bytes: 64 << 10))
        let (peer, server) = try stage.open(stage.peer(settings: small))
        peer.cut(.reset)
        let payload = IPCValue(String(repeating: "x", count: 1000))
        let sending = Background { [server] in
            for number in 0..<4000 { try server.send(Sample.event(0, .array([IPCValue(number), payload]))) }
        }
        // Sockets and the gateway's queues hold some of it, but not four megabytes.
        letTimePass(milliseconds: 300)
        #expect(!sending.isDone)
        try SessionStage.expectOK(try peer.resume())
        let events = try peer.events(of: 0, atLeast: 4000, milliseconds: patient(60_000))
        #expect(events.map { $0.array?.first } == (0..<4000).map { IPCValue($0) })
        try sending.value()
    }

    @Test("outlive a network that is silent, and notice it")
    func silence() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        try server.send(Sample.event(0, 1))
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
        peer.cut(.silence)
        try server.send(Sample.event(0, 2))
        // Twenty seconds without a byte, and something that is not acknowledged.
        try stage.bench.gateway.waitForLog("the loss is noticed", within: .seconds(40)) {
            $0["message"] == "client lost; its session waits" && $0["reason"] == "silent"
        }
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: 0, atLeast: 1) == [2])
        try peer.disconnect()
    }
}
