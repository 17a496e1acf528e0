// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import TLSEngine
import Testing

@Suite struct HandshakeTests {
    let authority: TestAuthority
    let server: TLSConfiguration
    let client: TLSConfiguration

    init() throws {
        self.authority = try TestAuthority.shared()
        self.server = try self.authority.serverConfiguration()
        self.client = self.authority.clientConfiguration(try self.authority.client("alice"))
    }

    @Test("A handshake succeeds however its bytes are cut", arguments: [Int.max, 1, 2, 7, 1000])
    func cuts(chunkSize: Int) throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        #expect(pair.handshake(chunkSize: chunkSize))
        #expect(try pair.server.session.peerCertificate()?.commonNames == ["alice"])
        #expect(try pair.client.session.peerCertificate()?.dnsNames == ["localhost"])
        #expect(pair.server.session.requestedServerName == "localhost")
        #expect(pair.server.session.keptInputByteCount == 0)
    }

    @Test("Both ends say what was negotiated")
    func negotiated() throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        #expect(pair.server.session.negotiated == nil)
        pair.handshake()
        let negotiated = try #require(pair.server.session.negotiated)
        #expect(negotiated.version == .tls13)
        #expect(negotiated.cipher == "TLS_AES_128_GCM_SHA256")
        #expect(negotiated.applicationProtocol == nil)
        #expect(["X25519", "X25519MLKEM768"].contains(negotiated.group))
        #expect(pair.client.session.negotiated == negotiated)
    }

    @Test("TLS 1.2 works where it is allowed, with data both ways")
    func tls12() throws {
        var (server, client) = (self.server, self.client)
        server.minimumVersion = .tls12
        client.minimumVersion = .tls12
        client.maximumVersion = .tls12
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake(chunkSize: 3))
        #expect(pair.server.session.negotiated?.version == .tls12)
        try pair.client.write(Array("ping".utf8))
        try pair.server.write(Array("pong".utf8))
        pair.pump()
        #expect(pair.server.inbox == Array("ping".utf8))
        #expect(pair.client.inbox == Array("pong".utf8))
    }

    @Test("A chain over an intermediate is accepted on both sides")
    func intermediate() throws {
        _ = try self.authority.intermediate("middle")
        let server = try self.authority.serverConfiguration(self.authority.server("over-middle", issuer: "middle"))
        let client = self.authority.clientConfiguration(try self.authority.client("c-over-middle", issuer: "middle"))
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(try pair.server.session.peerCertificate()?.issuer == "CN=middle")
    }

    @Test("A certificate without extended key usage serves as a client's")
    func noPurpose() throws {
        let client = self.authority.clientConfiguration(try self.authority.client("any-use", purpose: .none))
        #expect(try TLSPair(server: self.server, client: client).handshake())
    }

    @Test("The server's preference decides on the application protocol")
    func applicationProtocol() throws {
        var (server, client) = (self.server, self.client)
        server.applicationProtocols = ["vscode-ipc-persistent", "vscode-ipc"]
        client.applicationProtocols = ["other", "vscode-ipc", "vscode-ipc-persistent"]
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(pair.server.session.negotiated?.applicationProtocol == "vscode-ipc-persistent")
        #expect(pair.client.session.negotiated?.applicationProtocol == "vscode-ipc-persistent")
    }

    @Test("A client without ALPN is welcome, and a server without it ignores what is offered")
    func noApplicationProtocol() throws {
        var (server, client) = (self.server, self.client)
        server.applicationProtocols = ["vscode-ipc"]
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(pair.server.session.negotiated?.applicationProtocol == nil)
        client.applicationProtocols = ["vscode-ipc"]
        let other = try TLSPair(server: self.server, client: client)
        #expect(other.handshake())
        #expect(other.client.session.negotiated?.applicationProtocol == nil)
    }

    @Test(
        "A server is reached by an IP address in its certificate",
        arguments: ["127.0.0.1", "::1", "0:0:0:0:0:0:0:1"]
    )
    func address(name: String) throws {
        let pair = try TLSPair(server: self.server, client: self.client, serverName: name)
        #expect(pair.handshake())
        #expect(pair.server.session.requestedServerName == nil)
    }

    @Test("Where no certificate is required a client without one is let in, and has no identity")
    func optionalCertificate() throws {
        var server = self.server
        server.requireClientCertificate = false
        let client = self.authority.clientConfiguration(nil)
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(try pair.server.session.peerCertificate() == nil)
    }

    @Test("Nothing is sent after the handshake that a session could be resumed with")
    func noTickets() throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        pair.client.step()
        pair.server.receive(pair.client.takeOutput()[...])
        pair.client.receive(pair.server.takeOutput()[...])
        pair.server.receive(pair.client.takeOutput()[...])
        #expect(pair.server.session.isHandshakeComplete)
        #expect(pair.server.output.isEmpty)
    }

    @Test("A client must say whom it wants to reach")
    func clientWithoutName() throws {
        let context = try TLSContext(self.client)
        let error = #expect(throws: TLSError.self) { try TLSSession(context: context, output: TLSOutput()) }
        #expect(error?.code == .misuse)
        #expect(throws: TLSError.self) {
            try TLSSession(context: context, output: TLSOutput(), serverName: "a\0b")
        }
    }

    @Test("Reading and writing before the handshake is complete are errors of the caller")
    func tooEarly() throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        #expect(throws: TLSError.self) { try pair.client.write([1]) }
        #expect(pair.client.output.isEmpty)
        #expect(pair.handshake())
    }
}
