// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Sessions that are refused", .blocking)
struct SessionRefusalTests {
    @Test("A token is worth nothing with another identity, and the attempt is in the audit log and does no harm")
    func theft() throws {
        let directory = try TemporaryDirectory()
        let audit = directory.file("audit.jsonl")
        let stage = try SessionStage { $0.audit = "{ file: \(audit) }" }
        let (peer, server) = try stage.open()
        let thief = try peer.twin()
        let ops = stage.bench.tls(try stage.bench.ops())
        #expect(SessionStage.code(try thief.resume(tls: ops)) == .notYours)
        let stranger = try thief.resume(tls: stage.bench.tls(try stage.bench.strangersAlice()))
        guard case .ended = stranger else {
            Issue.record("a stranger's certificate got as far as \(stranger)")
            return
        }
        let expired = try stage.bench.authority.client(
            "alice-expired",
            uris: ["spiffe://example.org/dev/alice"],
            notBefore: "-2d",
            notAfter: "-1d"
        )
        guard case .ended = try thief.resume(tls: stage.bench.tls(expired)) else {
            Issue.record("an expired certificate was enough")
            return
        }
        guard case .ended = try thief.resume(tls: stage.bench.tls(nil)) else {
            Issue.record("no certificate was enough")
            return
        }
        // The owner has noticed nothing.
        try server.send(Sample.event(0, "mine"))
        #expect(try peer.events(of: 0, atLeast: 1) == ["mine"])
        #expect(peer.isConnected)
        peer.cut(.reset)
        #expect(SessionStage.code(try thief.resume(tls: ops)) == .notYours)
        try SessionStage.expectOK(try peer.resume())
        try peer.disconnect()
        try server.receiveToEnd()
        try eventually("the audit log has it all") {
            try Self.lines(of: audit).contains { $0["type"] == "close" }
        }
        let lines = try Self.lines(of: audit)
        let refused = lines.filter { $0["type"] == "refusedResume" }
        #expect(refused.map { $0["code"] } == ["not-yours", "not-yours"])
        #expect(refused.map { $0["identity"] } == ["ops", "ops"])
        #expect(refused.allSatisfy { $0["fingerprint"] != nil && $0["peer"] != nil })
        let types = lines.compactMap { $0["type"] }.filter { ["open", "detach", "resume", "close"].contains($0) }
        #expect(types == ["open", "detach", "resume", "close"])
    }

    /// The lines of an audit log, as far as their members are texts.
    private static func lines(of path: String) throws -> [[String: String]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return members.compactMapValues { $0 as? String }
        }
    }

    @Test("A certificate that was replaced by another of the same client opens its session")
    func rotated() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        try server.send(Sample.event(0, 1))
        let again = try stage.bench.authority.client("alice-again", uris: ["spiffe://example.org/dev/alice"])
        try SessionStage.expectOK(try peer.resume(tls: stage.bench.tls(again)))
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
    }

    @Test("A token that nobody has is refused as unknown, whatever it looks like")
    func unknown() throws {
        let stage = try SessionStage()
        let (peer, _) = try stage.open()
        let token = try #require(peer.token)
        peer.cut(.reset)
        let hex = String(repeating: "0", count: 32)
        let gateway = token.prefix { $0 != "." }
        let others = [
            "x", "\(gateway).\(hex)", "other.\(hex)", "127.0.0.1:1.\(hex)", "\(token)0", String(token.dropLast()),
            token.uppercased(), "\(gateway)é\(token.dropFirst(gateway.count))", String(repeating: "a", count: 256),
        ]
        for other in others where other != token {
            #expect(SessionStage.code(try peer.resume(token: other)) == .unknownSession, "\(other)")
            peer.cut(.finish)
        }
        try SessionStage.expectOK(try peer.resume())
    }

    @Test("A session that waited too long has expired, and its server is told")
    func expired() throws {
        let stage = try SessionStage { $0.sessions = ["graceTime": "200ms"] }
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        try server.receiveToEnd()
        let closing = try stage.bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "session-expired")
        #expect(SessionStage.code(try peer.resume()) == .sessionExpired)
        let thief = try peer.twin()
        #expect(SessionStage.code(try thief.resume(tls: stage.bench.tls(try stage.bench.ops()))) == .notYours)
    }

    @Test("An entry of its own says how long its sessions wait")
    func graceOfEntry() throws {
        let stage = try SessionStage {
            $0.sessions = ["graceTime": "1ms"]
            $0.clients[0] = "{ sessions: { graceTime: 1h }," + $0.clients[0].dropFirst()
        }
        let peer = try stage.peer()
        guard case .ok(_, let graceTime) = try peer.connect() else {
            Issue.record("no session")
            return
        }
        #expect(graceTime == 3600)
    }

    @Test(
        "Beyond the bounds on sessions that wait, those that come later are not kept",
        arguments: ["all", "identity"]
    )
    func tooMany(_ bound: String) throws {
        let stage = try SessionStage {
            $0.sessions = bound == "all" ? ["detached": "2"] : ["perIdentity": "{ detached: 2 }"]
        }
        let peers = try (0..<3).map { try stage.open(index: $0).0 }
        for peer in peers.dropLast() { peer.cut(.reset) }
        try stage.bench.gateway.waitForLog("both are noticed") { _ in
            stage.bench.gateway.log.filter { $0["message"] == "client lost; its session waits" }.count == 2
        }
        peers[2].cut(.reset)
        let closing = try stage.bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "detached-limit")
        #expect(SessionStage.code(try peers[2].resume()) == .limit)
        for peer in peers.dropLast() { try SessionStage.expectOK(try peer.resume()) }
        // Those who are back do not count any more.
        let (peer, _) = try stage.open(index: 3)
        peer.cut(.reset)
        try SessionStage.expectOK(try peer.resume())
    }

    @Test("What waits for clients that are away is bounded over all of them")
    func tooMuch() throws {
        let stage = try SessionStage { $0.sessions = ["keptBytes": "64KiB"] }
        let (first, server) = try stage.open()
        first.cut(.reset)
        let payload = Sample.event(0, IPCValue(String(repeating: "x", count: 100_000)))
        try server.send(payload)
        let (second, other) = try stage.open(stage.peer(acknowledging: .never), index: 1)
        try other.send(payload + payload)
        #expect(try second.events(of: 0, atLeast: 2).count == 2)
        second.cut(.reset)
        let closing = try stage.bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "detached-limit")
        try SessionStage.expectOK(try first.resume())
        #expect(try first.events(of: 0, atLeast: 1).count == 1)
    }

    @Test("A gateway that was restarted knows no sessions, and says so")
    func restarted() throws {
        let stage = try SessionStage()
        let (peer, _) = try stage.open()
        stage.bench.gateway.child.signal(9)
        try stage.bench.gateway.child.wait()
        let again = try GatewayProcess(configurationFile: stage.bench.configurationFile)
        peer.port = again.port
        #expect(SessionStage.code(try peer.resume()) == .unknownSession)
    }

    @Test("Where they are not offered, a client that wants nothing else is refused in the handshake")
    func notOffered() throws {
        let stage = try SessionStage { $0.sessions = ["offered": "false"] }
        let reply = try stage.peer().connect()
        guard case .ended = reply else {
            Issue.record("\(reply)")
            return
        }
        let client = try stage.bench.open()
        client.finishSending()
    }

    private static let wrongs: [(String, SessionCode, [Frame])] = [
        ("a message before connect", .malformed, [Frame(type: .regular, id: 1, ack: 0, body: [0])]),
        ("another version", .unsupportedVersion, [control(#"{"type":"connect","version":2}"#)]),
        ("no JSON", .malformed, [control("{")]),
        ("an unknown type", .malformed, [control(#"{"type":"hello"}"#)]),
        ("what only a gateway says", .malformed, [control(#"{"type":"goAway","reason":"x"}"#)]),
        ("connect twice", .malformed, [connect, connect]),
        ("a message before ok, on a resume", .malformed, [resume, Frame(type: .regular, id: 1, ack: 0, body: [0])]),
        ("connect on a session", .malformed, [connect, resume]),
        ("an unknown kind of frame", .malformed, [connect, Frame(type: FrameType(rawValue: 99), body: [])]),
        ("a Control frame that is too long", .malformed, [control(String(repeating: " ", count: 4097))]),
    ]

    private static let connect = control(#"{"type":"connect","version":1}"#)
    private static let resume = control(#"{"type":"connect","version":1,"reconnectionToken":"TOKEN"}"#)

    private static func control(_ json: String) -> Frame {
        Frame(type: .control, body: Array(json.utf8))
    }

    @Test("A client that does not keep to the order is refused by name", arguments: wrongs)
    func wrong(_ what: String, _ code: SessionCode, _ frames: [Frame]) throws {
        let stage = try SessionStage()
        let (owner, _) = try stage.open()
        owner.cut(.reset)
        let peer = try stage.peer()
        try peer.dial()
        var bytes: [UInt8] = []
        for var frame in frames {
            let text = String(decoding: frame.body, as: UTF8.self)
            if frame.type == .control {
                frame.body = Array(text.replacingOccurrences(of: "TOKEN", with: owner.token ?? "").utf8)
            }
            frame.append(to: &bytes)
        }
        try peer.sendRaw(bytes)
        try peer.poll(milliseconds: patient(10_000)) { peer.refusal != nil }
        #expect(peer.refusal?.code == code, "\(what): \(peer.refusal.map { "\($0)" } ?? "nothing")")
    }

    @Test("An acknowledgement of what was never sent ends the session")
    func futureAck() throws {
        let stage = try SessionStage()
        let (peer, _) = try stage.open()
        try peer.sendRaw(Frame(type: .ack, ack: 1000))
        try peer.poll(milliseconds: patient(10_000)) { peer.refusal != nil }
        #expect(peer.refusal?.code == .stateLost)
        #expect(SessionStage.code(try peer.resume()) == .stateLost)
    }

    @Test("A cut anywhere between connect, ok and context leaves no session behind")
    func cutsAtTheStart() throws {
        let stage = try SessionStage {
            $0.limits = ["clients": "1", "newcomers": "4"]
            $0.sessions = ["detached": "1"]
        }
        let context = Frame(type: .regular, id: 1, ack: 0, body: IPCMessage.context("test")).encoded()
        let bytes = Self.connect.encoded() + context
        for count in 0..<bytes.count {
            let peer = try stage.peer()
            try peer.dial()
            try peer.sendRaw(Array(bytes[..<min(count, Self.connect.encoded().count)]))
            if count > Self.connect.encoded().count {
                // Messages are not taken before the gateway has said ok.
                try SessionStage.expectOK(try peer.waitForReply())
                try peer.sendRaw(Array(context[..<(count - Self.connect.encoded().count)]))
            }
            peer.cut(count % 2 == 0 ? .reset : .finish)
        }
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        try SessionStage.expectOK(try peer.resume())
        try peer.disconnect()
        try server.receiveToEnd()
        #expect(try stage.bench.recording().settledConnections().count == 1)
    }

    @Test("A gateway that stops asks its clients to go, lets them finish, and is gone when they are")
    func goAway() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        let (_, away) = try stage.open(index: 1)
        let count = server.receivedCount
        let id = try peer.call("sample", "echo", 1)
        try server.receive(count: count + 1)
        stage.bench.gateway.child.signal(15)
        try peer.poll(milliseconds: patient(10_000)) { !peer.goAways.isEmpty }
        #expect(peer.goAways == ["draining"])
        #expect(peer.isConnected)
        try server.send(Sample.answer(id, 1))
        #expect(try peer.answer(to: id) == 1)
        away.close()
        try peer.poll(milliseconds: patient(10_000)) { peer.refusal != nil }
        #expect(peer.refusal?.code == .draining)
        #expect(try stage.bench.gateway.child.wait() == 0)
    }
}
