// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import TLSEngine
import Testing

/// Each refusal: the right code and a useful text where it is refused, an alert to the peer, a sensible text there.
@Suite struct RefusalTests {
    let authority: TestAuthority
    let server: TLSConfiguration
    let client: TLSConfiguration

    init() throws {
        self.authority = try TestAuthority.shared()
        self.server = try self.authority.serverConfiguration()
        self.client = self.authority.clientConfiguration(try self.authority.client("alice"))
    }

    /// Runs a handshake that the server must refuse.
    private func refusedByServer(
        _ client: TLSConfiguration,
        server: TLSConfiguration? = nil,
        alert: String
    ) throws -> TLSError {
        let pair = try TLSPair(server: server ?? self.server, client: client)
        #expect(!pair.handshake())
        let error = try #require(pair.server.error)
        let seen = try #require(pair.client.error)
        #expect(seen.code == .peerAlert)
        #expect(seen.message.contains(alert), "\(seen)")
        return error
    }

    private func clientWith(_ files: CertificateFiles?) -> TLSConfiguration {
        self.authority.clientConfiguration(files)
    }

    @Test("A client without a certificate is refused")
    func noCertificate() throws {
        let error = try self.refusedByServer(self.clientWith(nil), alert: "certificate required")
        #expect(error.code == .noClientCertificate)
        #expect(error.message == "the client sent no certificate")
    }

    @Test("A client of another authority is refused, and named")
    func wrongAuthority() throws {
        let other = try TestAuthority(name: "Other CA")
        let mallory = try other.client("mallory")
        let error = try self.refusedByServer(
            self.clientWith(mallory),
            alert: "peer refused our certificate: unknown CA"
        )
        #expect(error.code == .issuerUnknown)
        #expect(error.message == "issuer unknown: CN=Other CA issued CN=mallory")
    }

    @Test("A client of another authority with the same name is refused")
    func sameNamedAuthority() throws {
        let impostor = try TestAuthority()
        let files = try impostor.client("alice")
        let error = try self.refusedByServer(self.clientWith(files), alert: "refused our certificate")
        #expect(error.code == .issuerUnknown || error.code == .badCertificate)
    }

    @Test("An expired certificate is refused, with the date")
    func expired() throws {
        let files = try self.authority.client("old", notBefore: "20200101000000Z", notAfter: "20260101000000Z")
        let error = try self.refusedByServer(self.clientWith(files), alert: "certificate expired")
        #expect(error.code == .certificateExpired)
        #expect(error.message == "certificate expired on 2026-01-01T00:00:00Z (CN=old, issued by CN=Test CA)")
    }

    @Test("A certificate that is not valid yet is refused")
    func notYetValid() throws {
        let files = try self.authority.client("early", notBefore: "+1h", notAfter: "+2d")
        let error = try self.refusedByServer(self.clientWith(files), alert: "refused our certificate")
        #expect(error.code == .certificateNotYetValid)
        #expect(error.message.contains("CN=early"))
    }

    @Test("A server's certificate does not serve as a client's")
    func wrongPurpose() throws {
        let files = try self.authority.server("server")
        let error = try self.refusedByServer(self.clientWith(files), alert: "unsupported certificate")
        #expect(error.code == .wrongPurpose)
    }

    @Test("A client's certificate does not serve as a server's")
    func wrongPurposeOfServer() throws {
        let files = try self.authority.server("not-a-server", purpose: .client)
        let pair = try TLSPair(server: self.authority.serverConfiguration(files), client: self.client)
        #expect(!pair.handshake())
        #expect(pair.client.error?.code == .wrongPurpose)
        #expect(pair.server.error?.code == .peerAlert)
    }

    @Test("A server of another authority is refused by the client")
    func wrongServerAuthority() throws {
        let other = try TestAuthority(name: "Other CA")
        let server = try other.serverConfiguration()
        let pair = try TLSPair(server: server, client: self.client)
        #expect(!pair.handshake())
        #expect(pair.client.error?.code == .issuerUnknown)
        #expect(pair.server.error?.message == "peer refused our certificate: unknown CA")
    }

    @Test("TLS 1.2 is refused when 1.3 is required")
    func oldVersion() throws {
        var client = self.client
        client.minimumVersion = .tls12
        client.maximumVersion = .tls12
        let error = try self.refusedByServer(client, alert: "protocol version")
        #expect(error.code == .protocolVersion)
        #expect(error.message == "the client does not speak TLS 1.3 or later")
    }

    @Test("Without a shared cipher there is no connection")
    func cipher() throws {
        var (server, client) = (self.server, self.client)
        server.cipherSuites = ["TLS_AES_128_GCM_SHA256"]
        client.cipherSuites = ["TLS_CHACHA20_POLY1305_SHA256"]
        let error = try self.refusedByServer(client, server: server, alert: "handshake failure")
        #expect(error.code == .noSharedCipher)
        #expect(error.message == "no shared cipher")
    }

    @Test("Without a shared group there is no connection")
    func group() throws {
        var (server, client) = (self.server, self.client)
        server.groups = ["P-384"]
        client.groups = ["X25519"]
        let error = try self.refusedByServer(client, server: server, alert: "handshake failure")
        #expect(error.code == .noSharedGroup)
    }

    @Test("A client that offers only other application protocols is refused")
    func applicationProtocol() throws {
        var (server, client) = (self.server, self.client)
        server.applicationProtocols = ["vscode-ipc"]
        client.applicationProtocols = ["h2", "http/1.1"]
        let error = try self.refusedByServer(client, server: server, alert: "no application protocol")
        #expect(error.code == .noApplicationProtocol)
    }

    @Test("A server's certificate for another name is refused", arguments: ["example.org", "127.0.0.2", "local"])
    func hostname(name: String) throws {
        let pair = try TLSPair(server: self.server, client: self.client, serverName: name)
        #expect(!pair.handshake())
        let error = try #require(pair.client.error)
        #expect(error.code == .hostnameMismatch)
        #expect(error.message.contains(name))
        #expect(pair.server.error?.code == .peerAlert)
    }

    @Test("The common name does not stand in for a missing alternative name")
    func commonNameIsNoHostname() throws {
        let files = try self.authority.server("localhost", dns: ["elsewhere"], ips: [])
        let pair = try TLSPair(server: self.authority.serverConfiguration(files), client: self.client)
        #expect(!pair.handshake())
        #expect(pair.client.error?.code == .hostnameMismatch)
    }

    @Test("The first read tells a TLS 1.3 client that its certificate is refused, and so does every later call")
    func laterCalls() throws {
        let pair = try TLSPair(server: self.server, client: self.clientWith(nil))
        pair.handshake()
        #expect(pair.client.session.isHandshakeComplete)
        let first = try #require(pair.client.error)
        let second = #expect(throws: TLSError.self) { try pair.client.write([1]) }
        #expect(second == first)
        #expect(throws: first) { try pair.client.session.handshake() }
    }

    @Test(
        "What is not TLS is called by its name",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "the peer speaks plain HTTP, not TLS"),
            ("POST /x HTTP/1.1\r\n\r\n", "the peer speaks plain HTTP, not TLS"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "the peer speaks plain HTTP, not TLS"),
            ("SSH-2.0-OpenSSH_9.9\r\n", "the peer speaks SSH, not TLS"),
            ("hello there, who are you?", "the peer speaks plain text, not TLS"),
        ]
    )
    func plain(text: String, message: String) throws {
        for chunkSize in [Int.max, 1] {
            let context = try TLSContext(self.server)
            let pair = try TLSPair(server: context, client: TLSContext(self.client))
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                pair.server.receive(rest.prefix(chunkSize))
                rest = rest.dropFirst(chunkSize)
            }
            #expect(pair.server.error == TLSError(code: .notTLS, message: message))
        }
    }

    @Test("A server that speaks plain HTTP is named by the client")
    func plainServer() throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        pair.client.step()
        pair.client.receive(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)[...])
        #expect(pair.client.error == TLSError(code: .notTLS, message: "the peer speaks plain HTTP, not TLS"))
    }

    @Test("Garbage that begins like TLS is a violation of the protocol, answered with an alert")
    func garbage() throws {
        let pair = try TLSPair(server: self.server, client: self.client)
        pair.server.receive(([22, 3, 1, 0, 100] + [UInt8](repeating: 0xa5, count: 100))[...])
        #expect(pair.server.error?.code == .protocolViolation)
        #expect(pair.server.output.withUnsafeBytes { $0.first } == 21)
    }

    @Test("Every code is written in kebab case")
    func codes() {
        for code in TLSError.Code.allCases {
            #expect(code.rawValue.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (97...122).contains($0) })
        }
    }
}
