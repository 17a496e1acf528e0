// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import Synchronization
import TLSEngine
import Testing

@Suite("TLS connections")
struct TLSConnectionTests {
    let authority: TestAuthority

    init() throws {
        authority = try TestAuthority.shared()
    }

    @Test("tell both ends who the other is, and agree on the plain protocol")
    func identities() async throws {
        let pair = try await ConnectedPair(.tls)
        #expect(pair.server.peerCertificate?.commonNames == ["alice"])
        #expect(pair.client.peerCertificate?.dnsNames == ["localhost"])
        #expect(pair.server.negotiatedTLS?.applicationProtocol == "vscode-ipc")
        #expect(pair.client.negotiatedTLS?.version == .tls13)
        #expect(pair.client.remoteAddress?.port == pair.harbour.port)
        try await pair.close()
    }

    @Test("need a certificate of the client, and say so")
    func noClientCertificate() async throws {
        let harbour = try await Harbour(.tls)
        let endpoint = ClientEndpoint.tls(
            host: "localhost",
            port: harbour.port,
            configuration: authority.clientConfiguration(nil)
        )
        let end = try await refusal(endpoint)
        #expect(end.code == .refused)
        #expect(end.reason.contains("it wants a client certificate"))
        #expect(harbour.connections.isEmpty)
    }

    /// How a connection ends that the server refuses. The client of TLS 1.3 is done before the server has judged it, so
    /// it mostly hears of it after it has connected.
    private func refusal(_ endpoint: ClientEndpoint) async throws -> ConnectionEnd {
        let client: PlainConnection
        do {
            client = try await PlainConnection.connect(to: endpoint)
        } catch let end as ConnectionEnd {
            return end
        }
        let receiver = RecordingReceiver()
        client.start(delivering: receiver)
        for _ in 0..<100 { client.send([1, 2, 3]) }
        try await eventually("the end is there") { receiver.end != nil }
        return try #require(receiver.end)
    }

    @Test("refuse the certificate of a stranger, and say so")
    func stranger() async throws {
        let strangers = try TestAuthority(name: "Other CA")
        let harbour = try await Harbour(.tls)
        var configuration = authority.clientConfiguration(try strangers.client("alice"))
        configuration.trustAnchorsFile = authority.caFile
        let endpoint = ClientEndpoint.tls(host: "localhost", port: harbour.port, configuration: configuration)
        let end = try await refusal(endpoint)
        #expect(end.code == .refused)
        #expect(end.reason.contains("refused our certificate"))
        #expect(harbour.connections.isEmpty)
    }

    @Test("are not made with a server of another name")
    func wrongName() async throws {
        let harbour = try await Harbour(.tls)
        let endpoint = try harbour.endpoint(.tls, serverName: "example.org")
        let error = await #expect(throws: ConnectionEnd.self) { try await PlainConnection.connect(to: endpoint) }
        #expect(error?.code == .lost)
        #expect(error?.reason.contains("example.org") == true, "\(String(describing: error))")
        #expect(harbour.connections.isEmpty)
    }

    @Test("are not made with what does not speak TLS")
    func notTLS() async throws {
        let harbour = try await Harbour(.tcp)
        let endpoint = try harbour.endpoint(.tls)
        async let error = #expect(throws: ConnectionEnd.self) { try await PlainConnection.connect(to: endpoint) }
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        server.send([1, 2, 3])
        let reason = await error?.reason ?? ""
        #expect(reason.contains("TLS"), "\(reason)")
        server.close(.disposed)
    }

    @Test("do not accept what does not speak TLS, and go on with others")
    func plainClient() async throws {
        let harbour = try await Harbour(.tls)
        let peer = try RawPeer(port: harbour.port)
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
        peer.finishSending()
        _ = try? await peer.receiveAll()
        let client = try await PlainConnection.connect(to: try harbour.endpoint(.tls))
        client.start(delivering: RecordingReceiver())
        _ = try await harbour.accept()
        client.close(.disposed)
    }

    @Test("that end without close_notify are lost, behind what came before")
    func truncated() async throws {
        let harbour = try await Harbour(.tls)
        let context = try TLSContext(authority.clientConfiguration(try authority.client("alice")))
        let peer = try BlockingStream(
            host: "127.0.0.1",
            port: UInt16(harbour.port),
            tls: context,
            serverName: "localhost"
        )
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
        peer.finishSending(closeNotify: false)
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.messages == [[9]])
        #expect(receiver.end?.code == .lost)
        #expect(receiver.end?.reason.contains("without close_notify") == true)
    }

    @Test("that end with close_notify are answered with close_notify")
    func closeNotify() async throws {
        let harbour = try await Harbour(.tls)
        let context = try TLSContext(authority.clientConfiguration(try authority.client("alice")))
        let peer = try BlockingStream(
            host: "127.0.0.1",
            port: UInt16(harbour.port),
            tls: context,
            serverName: "localhost"
        )
        let server = try await harbour.accept()
        let receiver = RecordingReceiver { [weak server] message in server?.send(message) }
        server.start(delivering: receiver)
        try peer.send([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9])
        peer.finishSending()
        #expect(try peer.receive(milliseconds: 10_000) == .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9]))
        #expect(try peer.receive(milliseconds: 10_000) == .end(inOrder: true))
        try await eventually("the end is there") { receiver.end != nil }
        #expect(receiver.end == .closed)
    }

    @Test("whose handshake does not go on are closed in time")
    func handshakeTimeout() async throws {
        var options = TransportOptions()
        options.handshakeTimeout = .milliseconds(100)
        options.lingerTimeout = .milliseconds(50)
        let harbour = try await Harbour(.tls, options: options)
        let peer = try RawPeer(port: harbour.port)
        #expect(try await peer.receiveAll() == [])
        #expect(harbour.connections.isEmpty)
    }

    @Test("can be judged by the server's owner, who is quoted when it refuses")
    func admission() async throws {
        let harbour = try await Harbour(.tls) { connection in
            guard connection.peerCertificate?.commonNames == ["bob"] else {
                throw ConnectionEnd(.refused, "only bob may enter")
            }
        }
        let alice = try await PlainConnection.connect(to: try harbour.endpoint(.tls, certificate: "alice"))
        let receiver = RecordingReceiver()
        alice.start(delivering: receiver)
        try await eventually("alice is refused") { receiver.end != nil }
        #expect(receiver.end == ConnectionEnd(.refused, "only bob may enter (not-allowed)"))
        let bob = try await PlainConnection.connect(to: try harbour.endpoint(.tls, certificate: "bob"))
        bob.start(delivering: RecordingReceiver())
        #expect(try await harbour.accept().peerCertificate?.commonNames == ["bob"])
        bob.close(.disposed)
    }

    @Test("are not tried with a configuration for the other end")
    func wrongRole() async throws {
        let server = try authority.serverConfiguration()
        await #expect(throws: TLSConfigurationError.self) {
            try await PlainConnection.connect(to: .tls(host: "127.0.0.1", port: 1, configuration: server))
        }
        let client = authority.clientConfiguration(nil)
        await #expect(throws: TLSConfigurationError.self) {
            try await IPCListener.open(.tls(host: "127.0.0.1", configuration: client)) { _ in }
        }
    }
}
