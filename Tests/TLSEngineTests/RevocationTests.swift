// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import TLSEngine
import Testing

@Suite struct RevocationTests {
    let authority: TestAuthority
    let alice: TLSConfiguration
    let bob: TLSConfiguration

    init() throws {
        self.authority = try TestAuthority()
        _ = try self.authority.intermediate("middle")
        self.alice = self.authority.clientConfiguration(try self.authority.client("alice", issuer: "middle"))
        self.bob = self.authority.clientConfiguration(try self.authority.client("bob"))
    }

    private func server() throws -> TLSConfiguration {
        var server = try self.authority.serverConfiguration()
        server.revocationListsFile = self.authority.crlFile
        return server
    }

    @Test("A revoked certificate is refused, others are not")
    func revoked() throws {
        try self.authority.revoke("alice")
        try self.authority.writeRevocationList()
        let pair = try TLSPair(server: self.server(), client: self.alice)
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .certificateRevoked)
        #expect(pair.server.error?.message == "certificate revoked (CN=alice, issued by CN=middle)")
        #expect(pair.client.error?.message == "peer refused our certificate: certificate revoked")
        #expect(try TLSPair(server: self.server(), client: self.bob).handshake())
    }

    @Test("A revoked intermediate takes all it issued with it")
    func revokedIntermediate() throws {
        try self.authority.revoke("middle")
        try self.authority.writeRevocationList()
        let pair = try TLSPair(server: self.server(), client: self.alice)
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .certificateRevoked)
        #expect(try TLSPair(server: self.server(), client: self.bob).handshake())
    }

    @Test("A list that is too old refuses everybody")
    func oldList() throws {
        try self.authority.writeRevocationList(notAfter: "-1d")
        let pair = try TLSPair(server: self.server(), client: self.bob)
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .revocationUnknown)
    }

    @Test("Live sessions are judged by new lists and new authorities")
    func liveSessions() throws {
        try self.authority.writeRevocationList()
        let before = try TLSContext(self.server())
        let (first, second) = (
            try TLSPair(server: before, client: TLSContext(self.alice)),
            try TLSPair(server: before, client: TLSContext(self.bob))
        )
        #expect(first.handshake() && second.handshake())
        try before.judgePeer(of: first.server.session)
        try TLSContext(self.alice).judgePeer(of: first.client.session)

        try self.authority.revoke("alice")
        try self.authority.writeRevocationList()
        let after = try TLSContext(self.server())
        let error = #expect(throws: TLSError.self) { try after.judgePeer(of: first.server.session) }
        #expect(error?.code == .certificateRevoked)
        try after.judgePeer(of: second.server.session)
        // What was kept of a peer says the same when the session is gone.
        let kept = try #require(first.server.session.peerChain())
        #expect(first.server.session.wasMade(by: before) && !first.server.session.wasMade(by: after))
        try before.judge(kept)
        let again = #expect(throws: TLSError.self) { try after.judge(kept) }
        #expect(again?.code == .certificateRevoked)
        try after.judge(try #require(second.server.session.peerChain()))
        try TLSContext(self.alice).judge(try #require(first.client.session.peerChain()))

        let others = try TLSContext(TestAuthority.shared().serverConfiguration())
        let unknown = #expect(throws: TLSError.self) { try others.judgePeer(of: second.server.session) }
        #expect(unknown?.code == .issuerUnknown)
        let wrongWay = #expect(throws: TLSError.self) { try after.judgePeer(of: second.client.session) }
        #expect(wrongWay?.code == .wrongPurpose)
        // The judgement leaves the session as it was.
        try first.client.write([1])
        first.pump()
        #expect(first.server.inbox == [1])
    }

    @Test("A file of revocation lists without a list is refused, and so are lists without authorities")
    func badFiles() throws {
        var server = try self.server()
        server.revocationListsFile = self.authority.caFile
        let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(server) }
        #expect(error?.message == "holds no revocation list; it must hold PEM text (-----BEGIN X509 CRL-----)")
        server.trustAnchorsFile = nil
        server.requireClientCertificate = false
        #expect(throws: TLSConfigurationError.self) { try TLSContext(server) }
    }
}
