// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

/// One after the other: each is as fast as the machine allows. `STREAM_SECONDS=60` makes them longer.
@Suite("A stream in one direction", .serialized, .blocking)
struct StreamTests {
    private static let seconds = ProcessInfo.processInfo.environment["STREAM_SECONDS"].flatMap(UInt64.init) ?? 3
    private static let message = 1000
    private static let second: UInt64 = 1_000_000_000

    /// What one run gave.
    private struct Figures {
        var messages = 0
        var longestPause: UInt64 = 0
        var mostHeld = 0

        func print(_ name: String, _ gateway: GatewayProcess, growth: Int) {
            let rate = messages / Int(StreamTests.seconds)
            Swift.print(
                "\(name): \(rate) messages of \(StreamTests.message) bytes a second for \(StreamTests.seconds) s; "
                    + "longest pause \(longestPause / 1_000_000) ms; the sender held at most \(mostHeld >> 10) KiB; "
                    + "the gateway grew by \(growth >> 10) KiB"
            )
        }
    }

    private static let payload = IPCValue(String(repeating: "x", count: message))

    @Test(
        "from the server does not stop for acknowledgements, whether they come early or as VS Code sends them",
        arguments: [PersistentPeer.Acknowledging.early, .byTime]
    )
    func fromServer(_ acknowledging: PersistentPeer.Acknowledging) throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open(stage.peer(acknowledging: acknowledging))
        let before = try stage.bench.gateway.residentBytes()
        let end = PersistentPeer.now + Self.seconds * Self.second
        let event = Sample.event(0, Self.payload)
        let many = (0..<64).flatMap { _ in event }
        let sending = Background { [server] in
            while PersistentPeer.now < end { try server.send(many) }
        }
        var figures = Figures()
        var last = PersistentPeer.now
        while PersistentPeer.now < end {
            let events = try peer.events(of: 0, atLeast: 1, milliseconds: patient(8_000))
            #expect(!events.isEmpty)
            figures.messages += events.count
            figures.longestPause = max(figures.longestPause, PersistentPeer.now - last)
            last = PersistentPeer.now
        }
        let growth = try stage.bench.gateway.residentBytes() - before
        figures.print("from the server, acknowledged \(acknowledging)", stage.bench.gateway, growth: growth)
        // Who acknowledges by time alone does so every five seconds, and a window of 32 MiB has to last so long.
        #expect(figures.longestPause < (acknowledging == .early ? 2 : 6) * Self.second)
        #expect(growth < 80 << 20)
        peer.cut(.reset)
        server.close()
        _ = try? sending.value()
    }

    @Test("from the client does not stop for acknowledgements, and the server has everything")
    func fromClient() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        server.setForgetting()
        try server.send(
            Frame.regular(IPCMessage.listen(id: 0, channel: "c", event: "e", argument: .undefined)).encoded()
        )
        let listening = try peer.pump(milliseconds: patient(10_000)) { peer.receivedCount >= 2 }
        #expect(listening)
        let event = IPCMessage.event(id: 0, payload: Self.payload)
        let received = server.receivedCount
        let before = try stage.bench.gateway.residentBytes()
        let end = PersistentPeer.now + Self.seconds * Self.second
        var figures = Figures()
        var last = PersistentPeer.now
        while PersistentPeer.now < end {
            while peer.canSend, peer.session.unacknowledgedByteCount < 1 << 20 {
                try peer.send(event)
                figures.messages += 1
            }
            figures.mostHeld = max(figures.mostHeld, peer.session.unacknowledgedByteCount)
            try peer.poll(milliseconds: 1_000) { peer.session.unacknowledgedByteCount < 1 << 19 }
            #expect(peer.isConnected)
            figures.longestPause = max(figures.longestPause, PersistentPeer.now - last)
            last = PersistentPeer.now
        }
        try peer.drain()
        try server.receive(count: received + figures.messages * (FrameHeader.byteCount + event.count))
        let growth = try stage.bench.gateway.residentBytes() - before
        figures.print("from the client", stage.bench.gateway, growth: growth)
        #expect(figures.longestPause < 2 * Self.second)
        #expect(growth < 16 << 20)
        try peer.disconnect()
    }
}
