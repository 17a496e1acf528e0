// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@testable import TLSEngine

/// A server and a client of one version that resume, by a clock of their own.
struct ResumptionBench {
    let authority: TestAuthority
    let clock: TestClock
    var server: TLSConfiguration
    var client: TLSConfiguration

    init(
        _ version: TLSVersion = .tls13,
        authority: TestAuthority? = nil,
        client: CertificateFiles? = nil,
        clock: TestClock = TestClock()
    ) throws {
        let authority = try authority ?? TestAuthority.shared()
        self.authority = authority
        self.clock = clock
        self.server = try authority.serverConfiguration()
        self.client = authority.clientConfiguration(try client ?? authority.client("alice"))
        self.server.minimumVersion = .tls12
        self.client.minimumVersion = .tls12
        self.client.maximumVersion = version
        self.server.clock = clock.reading
        self.client.clock = clock.reading
        self.server.sessionLifetime = 3600
        // So that it is the server that refuses.
        self.client.sessionLifetime = 7 * 24 * 3600
    }

    func contexts() throws -> (server: TLSContext, client: TLSContext) {
        (try TLSContext(self.server), try TLSContext(self.client))
    }
}

/// Makes a connection that must succeed, and says what the client can resume.
func connect(
    _ server: TLSContext,
    _ client: TLSContext,
    resuming resumed: TLSResumptionState? = nil
) throws -> (pair: TLSPair, state: TLSResumptionState) {
    let pair = try TLSPair(server: server, client: client, resuming: resumed)
    #expect(pair.handshake(), "\(String(describing: pair.server.error)) \(String(describing: pair.client.error))")
    #expect(pair.server.session.isResumed == pair.client.session.isResumed)
    return (pair, try #require(pair.client.session.resumableSession))
}

@Suite struct ResumptionTests {
    @Test("A session is resumed, both ends say so, and data flows", arguments: TLSVersion.allCases)
    func resumes(version: TLSVersion) throws {
        let (server, client) = try ResumptionBench(version).contexts()
        let first = try connect(server, client)
        #expect(!first.pair.server.session.isResumed)
        #expect(server.sessionCount == 1)
        let begun = try TLSPair(server: server, client: client, resuming: first.state)
        begun.client.step()
        #expect(try begun.client.session.peerCertificate() == nil)
        #expect(begun.client.session.resumableSession == nil)
        let (pair, _) = try connect(server, client, resuming: first.state)
        #expect(pair.server.session.isResumed)
        #expect(pair.server.session.negotiated?.version == version)
        #expect(server.sessionCount == 1)
        try pair.client.write(Array("ping".utf8))
        try pair.server.write(Array("pong".utf8))
        pair.pump()
        #expect(pair.server.inbox == Array("ping".utf8))
        #expect(pair.client.inbox == Array("pong".utf8))
        #expect(try pair.server.session.peerCertificate() == first.pair.server.session.peerCertificate())
        #expect(try pair.server.session.peerCertificate()?.commonNames == ["alice"])
        #expect(try pair.client.session.peerCertificate()?.dnsNames == ["localhost"])
        #expect(pair.server.session.requestedServerName == (version == .tls13 ? "localhost" : nil))
        // The certificates are still there to be judged by other files.
        try server.judgePeer(of: pair.server.session)
        let authority = try TestAuthority()
        let others = try TLSContext(authority.serverConfiguration())
        let error = #expect(throws: TLSError.self) { try others.judgePeer(of: pair.server.session) }
        #expect(error?.code == .issuerUnknown)
    }

    @Test("A chain of resumptions works, each with the ticket of the one before", arguments: TLSVersion.allCases)
    func chain(version: TLSVersion) throws {
        let (server, client) = try ResumptionBench(version).contexts()
        var state = try connect(server, client).state
        for _ in 0..<10 {
            let next = try connect(server, client, resuming: state)
            #expect(next.pair.server.session.isResumed)
            #expect(try next.pair.server.session.peerCertificate()?.commonNames == ["alice"])
            state = next.state
        }
        #expect(server.sessionCount == 1)
    }

    @Test("Without a lifetime nothing is resumed and nothing kept")
    func off() throws {
        var bench = try ResumptionBench()
        bench.server.sessionLifetime = 0
        let (server, client) = try bench.contexts()
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(pair.client.session.resumableSession == nil)
        #expect(server.sessionCount == 0)
        bench.server.sessionLifetime = 60
        bench.client.sessionLifetime = 0
        let other = try TLSPair(server: bench.server, client: bench.client)
        #expect(other.handshake())
        #expect(other.client.session.resumableSession == nil)
    }

    @Test("A ticket of TLS 1.3 used a second time leads to a full handshake")
    func replay() throws {
        let (server, client) = try ResumptionBench().contexts()
        let ticket = try connect(server, client).state
        #expect(try connect(server, client, resuming: ticket).pair.server.session.isResumed)
        #expect(try !connect(server, client, resuming: ticket).pair.server.session.isResumed)
    }

    @Test("A session of TLS 1.2 is resumed again and again until its time is over")
    func reuse() throws {
        let bench = try ResumptionBench(.tls12)
        let (server, client) = try bench.contexts()
        let state = try connect(server, client).state
        for _ in 0..<3 {
            #expect(try connect(server, client, resuming: state).pair.server.session.isResumed)
        }
        bench.clock.advance(by: 3599)
        #expect(try connect(server, client, resuming: state).pair.server.session.isResumed)
        bench.clock.advance(by: 1)
        #expect(try !connect(server, client, resuming: state).pair.server.session.isResumed)
    }

    @Test("A ticket that is used after a HelloRetryRequest resumes")
    func helloRetryRequest() throws {
        var bench = try ResumptionBench()
        bench.server.groups = ["P-384"]
        bench.client.groups = ["P-256", "P-384"]
        let (server, client) = try bench.contexts()
        let first = try connect(server, client)
        let second = try connect(server, client, resuming: first.state)
        #expect(second.pair.server.session.isResumed)
        #expect(try !connect(server, client, resuming: first.state).pair.server.session.isResumed)
        #expect(try connect(server, client, resuming: second.state).pair.server.session.isResumed)
    }

    @Test("The application protocol is agreed upon anew, and refused as in a full handshake")
    func applicationProtocol() throws {
        var bench = try ResumptionBench()
        bench.server.applicationProtocols = ["one", "two"]
        bench.client.applicationProtocols = ["two"]
        let (server, client) = try bench.contexts()
        let first = try connect(server, client)
        #expect(first.pair.server.session.negotiated?.applicationProtocol == "two")
        bench.client.applicationProtocols = ["one"]
        let other = try TLSContext(bench.client)
        let second = try connect(server, other, resuming: first.state.moved(to: other))
        #expect(second.pair.server.session.isResumed)
        #expect(second.pair.server.session.negotiated?.applicationProtocol == "one")
        bench.client.applicationProtocols = ["three"]
        let wrong = try TLSContext(bench.client)
        let pair = try TLSPair(server: server, client: wrong, resuming: second.state.moved(to: wrong))
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .noApplicationProtocol)
    }

    @Test("A connection that is lost can be resumed, one that failed can not", arguments: TLSVersion.allCases)
    func afterFailure(version: TLSVersion) throws {
        let (server, client) = try ResumptionBench(version).contexts()
        var lost: TLSResumptionState?
        do {
            lost = try connect(server, client).state
        }
        #expect(try connect(server, client, resuming: lost).pair.server.session.isResumed)
        var failed: TLSResumptionState?
        do {
            let (pair, state) = try connect(server, client)
            let count = server.sessionCount
            pair.server.receive([23, 3, 3, 0, 40][...] + [UInt8](repeating: 0, count: 40))
            #expect(pair.server.error != nil)
            #expect(server.sessionCount == count - 1)
            failed = state
        }
        #expect(try !connect(server, client, resuming: failed).pair.server.session.isResumed)
    }

    @Test("A client passes over a session of another context, for another name, or too old")
    func clientSide() throws {
        let bench = try ResumptionBench()
        let (server, client) = try bench.contexts()
        let state = try connect(server, client).state
        let other = try TLSContext(bench.client)
        #expect(try !connect(server, other, resuming: state).pair.server.session.isResumed)
        let elsewhere = try TLSPair(server: server, client: client, serverName: "127.0.0.1", resuming: state)
        #expect(elsewhere.handshake())
        #expect(!elsewhere.server.session.isResumed)
        #expect(state.evidence.leaf.dnsNames == ["localhost"])
        #expect(state.evidence.chainFingerprints.count == 2)
        bench.clock.advance(by: 7 * 24 * 3600)
        #expect(try !connect(server, client, resuming: state).pair.server.session.isResumed)
    }

    @Test("Impossible settings are refused")
    func settings() throws {
        var bench = try ResumptionBench()
        for lifetime in [-1, 7 * 24 * 3600 + 1] {
            bench.server.sessionLifetime = lifetime
            let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(bench.server) }
            #expect(error?.message.contains("lifetime") == true)
        }
        bench.server.sessionLifetime = 1
        bench.server.sessionCacheCount = 0
        #expect(throws: TLSConfigurationError.self) { try TLSContext(bench.server) }
    }
}
