// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// Sessions that wait for their clients while the configuration is reloaded.
@Suite("After a reload, a session whose client is away", .blocking)
struct DetachedRevocationTests {
    private static func detach(_ stage: SessionStage, _ peer: PersistentPeer) throws {
        peer.cut(.reset)
        try stage.bench.gateway.waitForLog("the loss") { $0["message"] == "client lost; its session waits" }
    }

    @Test(
        "is over where the client is not let in any more, and its server is told",
        arguments: ["entry", "crl", "context"]
    )
    func revoked(_ change: String) throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("branch")
        let files = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"], issuer: "branch")
        try authority.writeRevocationList()
        let stage = try SessionStage(authority: authority) { $0.tls = ["crl": authority.crlFile] }
        let (peer, server) = try stage.open(try stage.peer(files))
        try Self.detach(stage, peer)
        let line = try stage.bench.reload { text in
            switch change {
            case "entry": text.clients.removeFirst()
            case "context": text.clients[0] = text.clients[0].replacing("remote:", with: "far:")
            default:
                try authority.revoke("branch")
                try authority.writeRevocationList()
            }
        }
        #expect((line["judged"], line["cut"]) == ("1", "1"))
        try server.receiveToEnd()
        #expect(try stage.bench.gateway.waitForClosings(1)["reason"] == "revoked")
        if change == "context" {
            // Who may still connect is told what has become of the session.
            #expect(SessionStage.code(try peer.resume()) == .revoked)
        } else {
            let reply = try peer.resume()
            #expect(SessionStage.code(reply) != .unknownSession && reply != .nothing, "\(reply)")
            #expect(peer.token != nil)
        }
    }

    @Test("goes on where it is, though entries have moved, and its rules are the new ones")
    func goesOn() throws {
        let stage = try SessionStage()
        let (peer, server) = try stage.open()
        try Self.detach(stage, peer)
        try server.send(Sample.event(0, 1))
        let line = try stage.bench.reload { $0.clients.reverse() }
        #expect((line["judged"], line["cut"], line["changed"]) == ("1", "0", "0"))
        try SessionStage.expectOK(try peer.resume())
        #expect(try peer.events(of: 0, atLeast: 1) == [1])
        peer.cut(.reset)
        let again = try stage.bench.reload(generation: 3) { text in
            text.clients[0] = text.clients[0].replacing("listen: [\"*\"]", with: "listen: [onOther]")
        }
        #expect((again["cut"], again["changed"], again["endedListens"]) == ("0", "1", "1"))
        let dispose = Frame.regular(IPCMessage.unlisten(id: 0)).encoded()
        try eventually("the server is told") { server.received.suffix(dispose.count) == dispose[...] }
        try SessionStage.expectOK(try peer.resume())
    }
}
