// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Synchronization
import TLSEngine
import Testing

@Suite("The persistent client of the tests", .blocking)
struct PersistentPeerTests {
    /// A server that has one session, and sends back its messages.
    private static func echo(_ tls: TLSContext? = nil) throws -> TCPServer {
        let kept = Mutex(PersistentSession(startsOpen: false, at: PersistentPeer.now))
        return try TCPServer { stream in
            if let tls { try stream.startTLS(tls, serverName: nil) }
            var newcomer: PersistentSession? = PersistentSession(startsOpen: false, at: PersistentPeer.now)
            defer { kept.withLock { $0.connectionLost() } }
            while true {
                var output: [UInt8] = []
                kept.withLock { $0.appendOutput(to: &output, upTo: 1 << 16, at: PersistentPeer.now) }
                if !output.isEmpty || stream.queuedByteCount > 0 { try stream.queue(output) }
                let now = PersistentPeer.now
                switch try stream.receive(milliseconds: 5) {
                case .nothing: kept.withLock { _ = $0.advance(to: now) }
                case .end: return
                case .bytes(let bytes):
                    if newcomer == nil {
                        kept.withLock { $0.append(bytes.span, at: now) }
                    } else {
                        newcomer?.append(bytes.span, at: now)
                    }
                }
                if let event = try newcomer?.nextEvent(at: now) {
                    guard case .control(let json) = event, case .connect(let token) = try SessionControl(json) else {
                        return
                    }
                    if let token, token != "the.token" {
                        let error = SessionControl.error(.unknownSession, reason: "no").encoded()
                        return try stream.send(Frame(type: .control, body: error).encoded())
                    }
                    let unread = newcomer?.takeUnread() ?? []
                    newcomer = nil
                    try kept.withLock { session in
                        if token == nil { session = PersistentSession(startsOpen: false, at: now) }
                        session.beginReconnection(unread: unread, at: now)
                        try session.sendControl(SessionControl.ok(token: "the.token", graceTime: 300).encoded())
                        session.endReconnection(at: now)
                    }
                }
                try kept.withLock { session in
                    while newcomer == nil, let event = try session.nextEvent(at: now) {
                        guard case .message(let message) = event else { return }
                        try session.send(message, at: now)
                    }
                }
            }
        }
    }

    @Test(
        "keeps its session through cuts of all kinds, and through a link that cuts anywhere",
        arguments: [false, true]
    )
    func resumes(overTLS: Bool) throws {
        let authority = try TestAuthority.shared()
        var (serverTLS, clientTLS): (TLSContext?, TLSConfiguration?) = (nil, nil)
        if overTLS {
            serverTLS = try PersistentPeer.context(try authority.serverConfiguration())
            clientTLS = authority.clientConfiguration(try authority.client("peer"))
        }
        let server = try Self.echo(serverTLS)
        defer { server.stop() }
        let link = try BadLink(to: server.port)
        let peer = try PersistentPeer(port: link.port, tls: clientTLS)
        let reply = try peer.connect()
        #expect(peer.negotiated?.applicationProtocol == (overTLS ? PersistentPeer.applicationProtocol : nil))
        if overTLS {
            // Who has no certificate learns it when he first listens.
            let other = try PersistentPeer(port: server.port, tls: authority.clientConfiguration(nil))
            peer.cut()
            guard case .ended(.refused) = try other.connect() else { throw TestSupportError("it was let in") }
            #expect(try peer.resume() == reply)
        }
        #expect(reply == .ok(token: "the.token", graceTime: 300))
        let refusal = try peer.resume(token: "the.other")
        #expect(refusal == .refused(.unknownSession, reason: "no"))
        try peer.poll(milliseconds: patient(10_000)) { !peer.isConnected }
        var next = 0
        for round in 0..<60 {
            let reply = try peer.resume()
            if round == 0 {
                var quality = LinkQuality()
                quality.cutAfterBytes = 1...60_000
                link.setQuality(quality)
            }
            if case .refused = reply { Issue.record("round \(round): \(reply)") }
            for _ in 0..<20 { try peer.send([UInt8](repeating: UInt8(round), count: 1_000)) }
            try peer.poll(milliseconds: round % 5 == 0 ? 30 : 200) { !peer.isConnected }
            if round % 7 == 0 { peer.cut(round % 2 == 0 ? .finish : .reset) }
        }
        link.setQuality(LinkQuality())
        let last = try peer.resume()
        #expect(last == .ok(token: "the.token", graceTime: 300))
        while next < 1_200, let message = try peer.receive() {
            #expect(message.count == 1_000 && message[0] == UInt8(next / 20))
            next += 1
        }
        #expect(next == 1_200)
        try peer.drain()
        #expect(link.counts.cuts > 5)
        try peer.disconnect()
    }

    @Test("acknowledges nothing where it is told to")
    func neverAcknowledges() throws {
        let server = try Self.echo()
        defer { server.stop() }
        let peer = try PersistentPeer(port: server.port, tls: nil, acknowledging: .never)
        try peer.connect()
        try peer.send([1])
        var messages: [[UInt8]?] = [try peer.receive()]
        peer.cut(.finish)
        try peer.resume()
        let twin = try peer.twin()
        peer.cut()
        // It has accepted the message, and does not take it twice.
        messages.append(try peer.receive(milliseconds: 0))
        try twin.resume()
        try twin.send([2])
        messages.append(try twin.receive())
        #expect(messages == [[1], nil, [2]])
    }
}
