// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import GatewayTestSupport
import Testing

@testable import TLSEngine

/// Records after the handshake, which a server reads and writes itself.
@Suite struct RecordTests {
    static let suites = RecordSuite.all.map(\.name)

    private static func pair(
        _ suite: String = "TLS_AES_128_GCM_SHA256",
        version: TLSVersion = .tls13,
        lifetime: Int = 3600
    ) throws -> TLSPair {
        let authority = try TestAuthority.shared()
        var server = try authority.serverConfiguration()
        server.cipherSuites = [suite]
        server.minimumVersion = version
        server.sessionLifetime = lifetime
        var client = authority.clientConfiguration(try authority.client("alice"))
        client.cipherSuites = [suite]
        client.minimumVersion = version
        client.maximumVersion = version
        let pair = try TLSPair(server: server, client: client)
        try #require(pair.handshake(), "\(String(describing: pair.server.error))")
        return pair
    }

    private static func bytes(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed) }
    }

    private static func expectData(_ pair: TLSPair, _ count: Int = 100_000, chunkSize: Int = 1021) throws {
        let (up, down) = (Self.bytes(count, seed: 1), Self.bytes(count, seed: 7))
        (pair.client.inbox, pair.server.inbox) = ([], [])
        try pair.client.write(up)
        try pair.server.write(down)
        pair.pump(chunkSize: chunkSize)
        #expect(pair.server.inbox == up)
        #expect(pair.client.inbox == down)
        #expect(pair.client.error == nil && pair.server.error == nil)
    }

    // MARK: Taking over

    @Test("With each suite OpenSSL's part is freed behind the handshake, and data flows", arguments: Self.suites)
    func takesOver(suite: String) throws {
        for lifetime in [0, 3600] {
            let pair = try Self.pair(suite, lifetime: lifetime)
            #expect(pair.server.session.ssl == nil)
            #expect(pair.client.session.ssl != nil)
            let negotiated = try #require(pair.server.session.negotiated)
            #expect(negotiated == pair.client.session.negotiated)
            #expect(negotiated.cipher == suite)
            #expect(try pair.server.session.peerCertificate()?.commonNames == ["alice"])
            #expect(pair.server.session.peerChain()?.certificates.count == 1)
            #expect(pair.server.session.requestedServerName == "localhost")
            for chunkSize in [7, 1021, .max] { try Self.expectData(pair, chunkSize: chunkSize) }
        }
    }

    @Test("What cannot be taken over stays with OpenSSL: CCM, and TLS 1.2")
    func staysWithOpenSSL() throws {
        let ccm = try Self.pair("TLS_AES_128_CCM_SHA256")
        #expect(ccm.server.session.records == nil && ccm.server.session.ssl != nil)
        try Self.expectData(ccm)
        let old = try Self.pair(version: .tls12)
        #expect(old.server.session.records == nil && old.server.session.ssl != nil)
        try Self.expectData(old)
    }

    @Test("What is said of the ciphertext still to come is never too much, and exact for the largest records")
    func inputStillToCome() throws {
        let pair = try Self.pair()
        var random = SeededGenerator(seed: 3)
        for largest in [100, 5000, 16_384] {
            let plaintext = Self.bytes(200_000, seed: largest)
            for start in stride(from: 0, to: plaintext.count, by: largest) {
                try pair.client.write(Array(plaintext[start..<min(plaintext.count, start + largest)]))
            }
            pair.server.inbox = []
            var rest = pair.client.takeOutput()[...]
            while !rest.isEmpty {
                let known = pair.server.session.inputByteCount(forPlaintext: plaintext.count - pair.server.inbox.count)
                #expect(known <= rest.count)
                if largest == 16_384 { #expect(known == rest.count) }
                let chunk = rest.prefix(Int.random(in: 1...30_000, using: &random))
                rest = rest.dropFirst(chunk.count)
                pair.server.receive(chunk)
            }
            #expect(pair.server.inbox == plaintext)
        }
        #expect(try Self.pair(version: .tls12).server.session.inputByteCount(forPlaintext: 100_000) == 1)
    }

    @Test("Data that comes in one piece with the end of the handshake is read")
    func dataWithFinished() throws {
        let authority = try TestAuthority.shared()
        let pair = try TLSPair(
            server: authority.serverConfiguration(),
            client: authority.clientConfiguration(authority.client("alice"))
        )
        pair.client.step()
        pair.server.receive(pair.client.takeOutput()[...])
        pair.client.receive(pair.server.takeOutput()[...])
        try #require(pair.client.session.isHandshakeComplete && !pair.server.session.isHandshakeComplete)
        try pair.client.write([1, 2, 3])
        #expect(SSL_key_update(pair.client.session.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        try pair.client.write([4, 5, 6])
        pair.server.receive(pair.client.takeOutput()[...])
        #expect(pair.server.inbox == [1, 2, 3, 4, 5, 6])
        pair.pump()
        try Self.expectData(pair)
    }

    @Test("The errors of a certificate's names are the same as before")
    func badNames() throws {
        let authority = try TestAuthority.shared()
        var server = try authority.serverConfiguration()
        server.requireClientCertificate = false
        var client = authority.clientConfiguration(try authority.client("alice"))
        (client.certificateChainFile, client.privateKeyFile) = (nil, nil)
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(pair.server.session.ssl == nil)
        #expect(try pair.server.session.peerCertificate() == nil)
        let error = #expect(throws: TLSError.self) { try pair.server.session.judge() }
        #expect(error?.code == .noClientCertificate)
    }

    @Test("Records are counted in pieces of any size, and only those that are encrypted")
    func counter() {
        let records: [UInt8] =
            [23, 3, 3, 0, 2, 9, 9, 20, 3, 3, 0, 1, 1, 23, 3, 3, 1, 0] + [UInt8](repeating: 23, count: 256)
        for size in 1...records.count {
            var counter = RecordCounter()
            var rest = records[...]
            while !rest.isEmpty {
                rest.prefix(size).withUnsafeBytes { counter.count($0) }
                rest = rest.dropFirst(size)
                #expect(counter.isAtBoundary == [0, 7, 13, records.count].contains(records.count - rest.count))
            }
            #expect(counter.recordCount == 2)
        }
    }

    // MARK: New keys

    @Test("The client renews its keys, and may ask for the server's", arguments: Self.suites, [false, true])
    func keyUpdates(suite: String, isRequested: Bool) throws {
        let pair = try Self.pair(suite)
        for _ in 0..<5 {
            let kind = isRequested ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED
            #expect(SSL_key_update(pair.client.session.ssl, kind) == 1)
            try Self.expectData(pair)
        }
    }

    @Test("The server renews its keys before they have encrypted too much", arguments: Self.suites)
    func ownUpdates(suite: String) throws {
        let pair = try Self.pair(suite)
        pair.server.session.records?.recordsPerKey = 3
        let before = pair.server.sent.count
        try Self.expectData(pair, 300_000)
        // Nineteen records in groups of three; between two groups a record that says so, of 27 bytes. One of the first
        // group is the ticket, if there is one.
        let overhead = pair.server.sent.count - before - 300_000 - 19 * 22
        #expect(overhead == 6 * 27 || overhead == 7 * 27, "\(overhead)")
        try Self.expectData(pair)
    }

    @Test("After close_notify keys are not renewed any more, and the client's are")
    func updateAfterClose() throws {
        let pair = try Self.pair()
        pair.server.session.sendCloseNotify()
        pair.pump()
        #expect(pair.client.isClosed)
        #expect(SSL_key_update(pair.client.session.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        try pair.client.write([1, 2])
        try pair.client.write([3])
        pair.pump()
        #expect(pair.server.inbox == [1, 2, 3])
        #expect(pair.server.output.isEmpty && pair.server.error == nil)
    }

    // MARK: A peer that does wrong

    @Test("Records that are missing, doubled, in another order or cut are noticed, and the client is told")
    func disorder() throws {
        for order in [[1], [0, 0], [1, 0], [0, 2]] {
            let pair = try Self.pair()
            let records = try (0..<3).map { number in
                try pair.client.write([UInt8(number)])
                return pair.client.takeOutput()
            }
            for number in order { pair.server.receive(records[number][...]) }
            #expect(pair.server.error?.code == .protocolViolation)
            #expect(pair.server.inbox.allSatisfy { $0 == 0 } && pair.server.inbox.count < 2)
            pair.client.receive(pair.server.takeOutput()[...])
            #expect(pair.client.error?.message == "peer sent alert: bad record mac")
        }
    }

    @Test("The client's alerts end the connection and say why")
    func alerts() throws {
        let pair = try Self.pair()
        // A record that the client cannot read makes it send one.
        pair.client.receive([23, 3, 3, 0, 20] + [UInt8](repeating: 1, count: 20))
        #expect(pair.client.error != nil)
        pair.server.receive(pair.client.takeOutput()[...])
        #expect(pair.server.error?.code == .peerAlert)
        #expect(pair.server.error?.message == "peer sent alert: bad record mac")
        // It is not answered with one.
        #expect(pair.server.output.isEmpty)
        #expect(throws: TLSError.self) { try pair.server.write([1]) }
    }
}

extension TLSSession {
    /// Judges the peer by the session's own context.
    fileprivate func judge() throws { try self.context.judgePeer(of: self) }
}
