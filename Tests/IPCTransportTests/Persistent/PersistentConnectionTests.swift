// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import NIOConcurrencyHelpers
import NIOCore
import TLSEngine
import Testing

@Suite("Sessions that outlive their connections")
struct PersistentConnectionTests {
    @Test("carry calls and events as any connection does", arguments: [Road.tcp, .tls])
    func ordinary(road: Road) async throws {
        let stage = try await SessionStage(road)
        let (client, connection) = try await stage.connect()
        let answer = try await client.channel("sample").call("echo", 42)
        #expect(answer == 42)
        if road == .tls {
            #expect(connection.negotiatedTLS?.applicationProtocol == PersistentConnection.applicationProtocol)
            #expect(connection.peerCertificate?.dnsNames == ["localhost"])
        }
        #expect(connection.remoteAddress?.port == stage.relay.port)
        #expect(connection.statistics.roundTripTime != nil)
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
    }

    @Test("lose and repeat nothing when the line is cut anywhere", arguments: [Road.tcp, .tls])
    func cuts(road: Road) async throws {
        let stage = try await SessionStage(road)
        let (client, connection) = try await stage.connect()
        let channel = client.channel("sample")
        let events = NIOLockedValueBox<[IPCValue]>([])
        let subscription = channel.listen("event").attach(
            EventSink(receive: { event in events.withLockedValue { $0.append(event) } }, end: { _ in })
        )
        // The listening is there when what was asked behind it is answered.
        _ = try await channel.call("echo", "first")
        var generator = SeededGenerator(seed: 7)
        stage.relay.cut(after: (0..<40).map { _ in Int.random(in: 0...20_000, using: &generator) })
        var next: Int32 = 0
        while stage.relay.cutsLeft > 0 {
            let round = next..<next + 50
            next += 50
            for number in round { stage.emitter.fire(IPCValue(Int(number))) }
            let answers = try await withThrowingTaskGroup(of: (Int32, IPCValue).self) { group in
                for number in round { group.addTask { (number, try await channel.call("echo", .int(number))) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.1 == .int($0.0) })
        }
        let count = next
        try await eventually("all events have come") { events.withLockedValue { $0.count } >= Int(count) }
        let isInOrder = events.withLockedValue { $0 == (0..<count).map { .int($0) } }
        #expect(isInOrder)
        let asked = stage.calls.withLockedValue { $0 }
        #expect(asked.count == Int(count))
        let isOnce = asked.values.allSatisfy { $0 == 1 }
        #expect(isOnce)
        #expect(connection.statistics.reconnections >= 20)
        subscription.cancel()
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
    }

    @Test("carry large messages both ways through cuts")
    func large() async throws {
        let stage = try await SessionStage(.tls)
        let (client, connection) = try await stage.connect()
        stage.relay.cut(after: (0..<12).map { 300_000 + $0 * 100_000 })
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        for _ in 0..<4 {
            let answer = try await client.channel("sample").call("echo", .vsBuffer(bytes))
            let isSame = answer == .vsBuffer(bytes)
            #expect(isSame)
        }
        #expect(stage.relay.cutsLeft < 12)
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
    }

    @Test("say what becomes of them, from what they are now on")
    func states() async throws {
        let stage = try await SessionStage()
        let (client, connection) = try await stage.connect()
        let log = StateLog(connection)
        try await eventually("the first state") { log.states == [.connected] }
        stage.relay.setDown(true)
        try await eventually("some attempts") { log.states.count >= 4 }
        guard case .reconnecting(attempt: 1, nextAttemptIn: .zero, _) = log.states[1] else {
            Issue.record("not at once: \(log.states[1])")
            return
        }
        stage.relay.setDown(false)
        let answer = try await client.channel("sample").call("echo", 1)
        #expect(answer == 1)
        try await eventually("it is back") {
            if case .reconnected = log.states.last { true } else { false }
        }
        let late = StateLog(connection)
        try await eventually("the state of now") { late.states.count == 1 && late.states == log.states.suffix(1) }
        client.dispose()
        try await eventually("the streams end") { log.isOver && late.isOver }
        #expect(log.failure == nil)
        await stage.close()
    }

    @Test("go on when the line is silent for too long")
    func silence() async throws {
        let stage = try await SessionStage()
        var options = SessionStage.impatient
        options.session.timeOut = 100_000_000
        options.session.keepAlive = 20_000_000
        let (client, connection) = try await stage.connect(options: options)
        stage.relay.setStalled(true)
        async let answer = client.channel("sample").call("echo", 5)
        try await eventually("it dials again") { stage.relay.accepted > 1 }
        stage.relay.setStalled(false)
        stage.relay.cut()
        let value = try await answer
        #expect(value == 5)
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
    }

    @Test("end with Disconnect when they are closed, and the other side hears it")
    func closing() async throws {
        let ends = RecordingReceiver()
        let listener = try await IPCListener.open(
            .tcp(),
            sessions: SessionHosting(),
            acceptSession: { $0.start(delivering: ends) },
            accept: { _ in }
        )
        let endpoint = ClientEndpoint.tcp(port: try #require(listener.port))
        let client = try await PersistentConnection.connect(to: [endpoint])
        let receiver = RecordingReceiver()
        client.start(delivering: receiver)
        for number in 0..<100 { client.send([UInt8(number)]) }
        client.close(.disposed)
        try await eventually("both are told") { ends.end != nil && receiver.end != nil }
        #expect(ends.end == .closed)
        #expect(receiver.end == .disposed)
        #expect(ends.messages == (0..<100).map { [UInt8($0)] })
        #expect(ends.isInOrder)
        await listener.close()
    }

    @Test("are not stuck when both sides send and neither takes anything for a while")
    func bothFull() async throws {
        let accepted = NIOLockedValueBox<PersistentConnection?>(nil)
        let atServer = RecordingReceiver()
        var hosting = SessionHosting()
        hosting.session.window = SessionWindow(messages: 64, bytes: 1 << 15)
        hosting.session.acknowledgesEarlyAt = hosting.session.window.quarter
        var transport = TransportOptions()
        transport.highWaterMark = 4_096
        let listener = try await IPCListener.open(
            .tcp(),
            sessions: hosting,
            options: transport,
            acceptSession: { connection in
                accepted.withLockedValue { $0 = connection }
                connection.start(delivering: atServer)
            },
            accept: { _ in }
        )
        let client = try await PersistentConnection.connect(
            to: [.tcp(port: try #require(listener.port))],
            options: ReconnectionOptions(session: hosting.session),
            transport: transport
        )
        let atClient = RecordingReceiver()
        client.start(delivering: atClient)
        client.send([0])
        try await eventually("the server has it") { atServer.count == 1 }
        let server = try #require(accepted.withLockedValue { $0 })
        client.setDelivering(false)
        server.setDelivering(false)
        for number in 1..<300 {
            client.send([UInt8(truncatingIfNeeded: number)] + [UInt8](repeating: 1, count: 500))
            server.send([UInt8(truncatingIfNeeded: number)] + [UInt8](repeating: 2, count: 500))
        }
        try await eventually("both are congested") { client.isCongested && server.isCongested }
        server.setDelivering(true)
        try await eventually("the server has all") { atServer.count == 300 }
        await client.drain()
        client.setDelivering(true)
        try await eventually("the client has all") { atClient.count == 299 }
        #expect(atServer.messages.map { $0[0] } == (0..<300).map { UInt8(truncatingIfNeeded: $0) })
        client.close(.disposed)
        await server.waitUntilEnded()
        await listener.close()
    }

    @Test("do not stall when all goes one way, without an answer to acknowledge with")
    func oneWay() async throws {
        let count = 50_000
        let atServer = NIOLockedValueBox(0)
        var hosting = SessionHosting()
        // With acknowledgements after two seconds each window would take that long.
        hosting.session.window = SessionWindow(messages: 500, bytes: 1 << 20)
        hosting.session.acknowledgesEarlyAt = hosting.session.window.quarter
        let receiver = RecordingReceiver { _ in atServer.withLockedValue { $0 += 1 } }
        let listener = try await IPCListener.open(
            .tcp(),
            sessions: hosting,
            acceptSession: { $0.start(delivering: receiver) },
            accept: { _ in }
        )
        let endpoint = ClientEndpoint.tcp(port: try #require(listener.port))
        let client = try await PersistentConnection.connect(
            to: [endpoint],
            options: ReconnectionOptions(session: hosting.session)
        )
        client.start(delivering: RecordingReceiver())
        for number in 0..<count {
            if client.isCongested { await client.drain() }
            client.send([UInt8(truncatingIfNeeded: number)])
        }
        try await eventually("all have come") { atServer.withLockedValue { $0 } == count }
        client.close(.disposed)
        await client.waitUntilEnded()
        await listener.close()
    }
}
