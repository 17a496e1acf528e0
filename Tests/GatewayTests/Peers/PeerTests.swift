// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPCProtocol
import TLSEngine
import Testing

@Suite("Several gateways, and a client that comes to another than the one that has its session", .blocking)
struct PeerTests {
    @Test("is led to the one that has it, and nothing is lost or repeated")
    func relayed() throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        var asked = SessionStage.opening + Sample.listen(0)
        for round in 0..<6 {
            peer.cut(round % 2 == 0 ? .reset : .finish)
            try server.send(SessionStage.events(round * 10..<round * 10 + 10))
            peer.port = stage.members[(round + 1) % 2].bench.gateway.port
            try SessionStage.expectOK(try peer.resume())
            let id = try peer.call("sample", "echo", IPCValue(round))
            asked += Sample.call(id, IPCValue(round))
            #expect(try server.receive(count: asked.count) == asked)
            try server.send(Sample.answer(id, IPCValue(round)))
            #expect(try peer.answer(to: id) == IPCValue(round))
        }
        #expect(try peer.events(of: 0, atLeast: 60) == (0..<60).map { IPCValue($0) })
        #expect(try stage.members[1].bench.recording().settledConnections().isEmpty)
        #expect(stage.members[1].log("client relayed").count == 3)
        try peer.disconnect()
        #expect(try stage.members[0].bench.gateway.waitForClosings(1)["reason"] == "finished")
        let resumed = stage.members[0].log("client resumed its session")
        #expect(resumed.count == 6)
        #expect(resumed.first?["peer"]?.hasSuffix(" by gw-b") == true, "\(resumed)")
        #expect(resumed.first?["fingerprint"] == resumed.last?["fingerprint"])
        for member in stage.members { #expect(try member.bench.gateway.stop() == 0) }
    }

    @Test("carries large messages both ways")
    func large() throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        peer.port = stage.members[1].bench.gateway.port
        try SessionStage.expectOK(try peer.resume())
        let count = 4 << 20
        let text = IPCValue(String(repeating: "x", count: count))
        let before = server.receivedCount
        let id = try peer.call("sample", "echo", text)
        let call = Sample.call(id, text)
        // The connection takes it by and by, and the client is on this thread.
        try peer.drain(milliseconds: patient(30_000))
        let received = try server.receive(count: before + call.count, within: .seconds(30))
        let isSame = received.suffix(call.count) == call[...]
        #expect(isSame)
        try server.send(Sample.answer(id, text))
        let isAnswered = try peer.answer(to: id, milliseconds: patient(30_000)) == text
        #expect(isAnswered)
        try peer.disconnect()
    }

    @Test(
        "is told by a token of nobody's, and no connection is made anywhere",
        arguments: ["gw-x", "127.0.0.1", "gw-b"]
    )
    func inventedOwner(_ keeper: String) throws {
        let stage = try PeerStage()
        let (peer, _) = try stage.open()
        let connections = stage.members[1].log("client relayed").count
        let token = "\(keeper).\(String(repeating: "0", count: 32))"
        #expect(SessionStage.code(try peer.resume(token: token)) == .unknownSession)
        #expect(stage.members[0].log("a peer cannot be reached").isEmpty)
        // A name that is a peer's leads to it, and is answered there.
        #expect(stage.members[0].log("client relayed").count == (keeper == "gw-b" ? 1 : 0))
        #expect(stage.members[1].log("client relayed").count == connections)
    }

    @Test("is judged where its session is, too: a stolen token is no use at any gateway")
    func theft() throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        let thief = try stage.authority.client("bob", uris: ["spiffe://example.org/dev/bob"])
        let twin = try peer.twin()
        twin.port = stage.members[1].bench.gateway.port
        let reply = try twin.resume(tls: stage.members[1].bench.tls(thief))
        #expect(SessionStage.code(reply) == .notYours)
        try server.send(Sample.event(0, "undisturbed"))
        #expect(try peer.events(of: 0, atLeast: 1) == ["undisturbed"])
    }

    @Test("is told that the session is unknown when the gateway that had it is gone")
    func ownerGone() throws {
        let stage = try PeerStage()
        let (peer, _) = try stage.open()
        stage.members[0].bench.gateway.kill()
        _ = try stage.members[0].bench.gateway.child.wait()
        peer.cut(.reset)
        peer.port = stage.members[1].bench.gateway.port
        let reply = try peer.resume()
        #expect(SessionStage.code(reply) == .unknownSession)
        guard case .refused(_, let reason) = reply else { return }
        #expect(reason == "the gateway that keeps the session, 'gw-a', cannot be reached")
        let line = try #require(stage.members[1].log("a peer cannot be reached").first)
        #expect(line["detail"]?.contains("refused") == true, "\(line)")
    }

    @Test("is told so while names cannot be looked up, and is led to its gateway when they can")
    func namesGone() throws {
        // No name server answers, and the names that are known without one change.
        let directory = try TemporaryDirectory()
        let hosts = try directory.write("127.0.0.1 localhost\n", to: "hosts")
        let servers = try directory.write("nameserver 127.0.0.253\noptions timeout:1 attempts:1\n", to: "resolv.conf")
        let script = "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/resolv.conf && shift 2 && exec \"$@\""
        let namespace = getuid() == 0 ? ["unshare", "--mount"] : ["unshare", "--mount", "--map-root-user"]
        let stage = try PeerStage(
            hosts: ["gw-a": "gw-a.example.test"],
            launcher: namespace + ["sh", "-c", script, "sh", hosts, servers]
        )
        let (peer, server) = try stage.open()
        let port = peer.port
        let other = stage.members[1].bench
        peer.cut(.reset)
        peer.port = other.gateway.port
        let reply = try peer.resume()
        #expect(SessionStage.code(reply) == .unknownSession)
        let line = try #require(stage.members[1].log("a peer cannot be reached").first)
        #expect(line["detail"]?.contains("the name 'gw-a.example.test' cannot be looked up") == true, "\(line)")
        // Nobody else needs names.
        _ = try other.open()

        _ = try directory.write("127.0.0.1 localhost gw-a.example.test\n", to: "hosts")
        let last = try peer.resume()
        #expect(SessionStage.code(last) == nil, "\(stage.members[1].log("a peer cannot be reached"))")
        try SessionStage.expectOK(last)
        try server.send(Sample.event(0, "meanwhile"))
        #expect(try peer.events(of: 0, atLeast: 1) == ["meanwhile"])
        #expect(port != peer.port)
        try peer.disconnect()
    }

    @Test("loses its connection, not its session, when the gateway between goes")
    func relayGone() throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        peer.port = stage.members[1].bench.gateway.port
        try SessionStage.expectOK(try peer.resume())
        stage.members[1].bench.gateway.kill()
        try peer.poll(milliseconds: patient(10_000)) { !peer.isConnected }
        try server.send(Sample.event(0, "meanwhile"))
        peer.port = stage.members[0].bench.gateway.port
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: 0, atLeast: 1) == ["meanwhile"])
        try peer.disconnect()
    }

    @Test("is cut at both gateways when a reload takes its right away", arguments: [0, 1])
    func revoked(_ where: Int) throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        peer.cut(.reset)
        peer.port = stage.members[1].bench.gateway.port
        try SessionStage.expectOK(try peer.resume())
        let ports = Dictionary(uniqueKeysWithValues: stage.members.map { ($0.name, $0.peerPort) })
        let member = stage.members[`where`]
        try member.bench.reload { text in
            try stage.introduce(&text, member.name, knowing: ports)
            text.clients.removeFirst()
        }
        try peer.poll(milliseconds: patient(10_000)) { !peer.isConnected }
        if `where` == 0 { try server.receiveToEnd() }
    }

    // MARK: Who is no peer

    /// Connects to the listener for peers with a certificate and says something.
    private func intrude(_ stage: PeerStage, _ files: CertificateFiles, _ bytes: [UInt8]) throws -> TestClient {
        var tls = stage.members[0].bench.tls(files)
        tls.applicationProtocols = ["ipc-gateway-relay"]
        let client = TestClient(port: stage.members[0].peerPort, tls: tls)
        client.send(bytes)
        return client
    }

    private func statement(_ stage: PeerStage, _ token: String) throws -> [UInt8] {
        let alice = try CertificateDER.read(stage.members[0].bench.alice().certificate)
        let body = ValueEncoder.encode(["relay", 1, "gw-b", "192.0.2.1:1", .array([.buffer(alice)])])
        let connect = SessionControl.connect(token: token).encoded()
        return Frame(type: .control, body: body).encoded() + Frame(type: .control, body: connect).encoded()
    }

    @Test("cannot be spoken for by a certificate that is no peer's, whatever it states")
    func notAPeer() throws {
        let stage = try PeerStage()
        let (peer, server) = try stage.open()
        let token = try #require(peer.token)
        let words = try statement(stage, token)
        let outsider = try intrude(stage, stage.members[0].bench.ops(), words)
        try outsider.receiveToEnd()
        #expect(outsider.errorCode == "not-allowed")
        let own = try intrude(stage, stage.members[0].bench.alice(), words)
        try own.receiveToEnd()
        #expect(own.errorCode == "not-allowed")
        // A peer's would do.
        let real = try stage.authority.client("gw-b", uris: ["spiffe://example.org/gateway/gw-b"])
        let twin = try intrude(stage, real, words)
        try peer.poll(milliseconds: patient(10_000)) { peer.refusal != nil }
        #expect(peer.refusal?.code == .takenOver)
        withExtendedLifetime((twin, server)) {}
    }

    @Test("cannot be stated at a listener for clients")
    func wrongListener() throws {
        let stage = try PeerStage()
        let (peer, _) = try stage.open()
        let words = try statement(stage, try #require(peer.token))
        let bench = stage.members[0].bench
        let real = try stage.authority.client("gw-b", uris: ["spiffe://example.org/gateway/gw-b"])
        let client = TestClient(port: bench.gateway.port, tls: bench.tls(real))
        client.send(words)
        try client.receiveToEnd()
        #expect(peer.refusal == nil)
        #expect(stage.members[0].log("client resumed its session").isEmpty)
    }

    @Test("cannot be stated without the certificate of somebody who would be let in")
    func strangersCertificate() throws {
        let stage = try PeerStage()
        let (peer, _) = try stage.open()
        let real = try stage.authority.client("gw-b", uris: ["spiffe://example.org/gateway/gw-b"])
        let stranger = try CertificateDER.read(stage.members[0].bench.strangersAlice().certificate)
        let connect = SessionControl.connect(token: peer.token).encoded()
        for chain: [IPCValue] in [[.buffer(stranger)], [.buffer([1, 2, 3])], []] {
            let body = ValueEncoder.encode(["relay", 1, "gw-b", "192.0.2.1:1", .array(chain)])
            let words = Frame(type: .control, body: body).encoded() + Frame(type: .control, body: connect).encoded()
            let client = try intrude(stage, real, words)
            try client.receiveToEnd()
            #expect(client.errorCode != nil)
        }
        #expect(peer.refusal == nil)
    }

    @Test("begins no session through another gateway")
    func newSession() throws {
        let stage = try PeerStage()
        let real = try stage.authority.client("gw-b", uris: ["spiffe://example.org/gateway/gw-b"])
        let alice = try CertificateDER.read(stage.members[0].bench.alice().certificate)
        let body = ValueEncoder.encode(["relay", 1, "gw-b", "192.0.2.1:1", .array([.buffer(alice)])])
        let connect = SessionControl.connect(token: nil).encoded()
        let words = Frame(type: .control, body: body).encoded() + Frame(type: .control, body: connect).encoded()
        let client = try intrude(stage, real, words)
        try client.receiveToEnd()
        #expect(client.errorCode == "malformed")
    }
}
