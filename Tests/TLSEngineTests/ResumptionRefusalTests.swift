// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Synchronization
import Testing

@testable import TLSEngine

/// When a session is not resumed, and what the full handshake then says.
@Suite struct ResumptionRefusalTests {
    private static let day: Int64 = 24 * 3600

    /// Offers a session that is no longer good, to a server that must refuse the client altogether.
    private func refusal(
        _ server: TLSContext,
        _ client: TLSContext,
        _ state: TLSResumptionState
    ) throws -> TLSError {
        let pair = try TLSPair(server: server, client: client, resuming: state)
        #expect(!pair.handshake())
        #expect(!pair.server.session.isResumed)
        #expect(server.sessionCount == 0)
        return try #require(pair.server.error)
    }

    @Test("When the lifetime is over there is a full handshake, and resuming does not prolong it")
    func lifetime() throws {
        let bench = try ResumptionBench()
        let (server, client) = try bench.contexts()
        var state = try connect(server, client).state
        for _ in 0..<2 {
            bench.clock.advance(by: 1799)
            let next = try connect(server, client, resuming: state)
            #expect(next.pair.server.session.isResumed)
            state = next.state
        }
        bench.clock.advance(by: 2)
        #expect(server.sessionCount == 0)
        let last = try connect(server, client, resuming: state)
        #expect(!last.pair.server.session.isResumed)
        #expect(try connect(server, client, resuming: last.state).pair.server.session.isResumed)
    }

    @Test("A clock that was set back does not make a session younger than its verification")
    func clockSetBack() throws {
        let bench = try ResumptionBench()
        // The authority may have been made this very second, and be valid from then on only.
        bench.clock.advance(by: 60)
        let (server, client) = try bench.contexts()
        let state = try connect(server, client).state
        bench.clock.advance(by: -1)
        #expect(try !connect(server, client, resuming: state).pair.server.session.isResumed)
    }

    @Test("When the client's certificate has expired the full handshake says so", arguments: TLSVersion.allCases)
    func leafExpired(version: TLSVersion) throws {
        let authority = try TestAuthority()
        let files = try authority.client("brief", notAfter: "+1h")
        let bench = try ResumptionBench(version, authority: authority, client: files)
        var long = bench
        long.server.sessionLifetime = Int(Self.day)
        let (server, client) = try long.contexts()
        var state = try connect(server, client).state
        bench.clock.advance(by: 3000)
        state = try connect(server, client, resuming: state).state
        bench.clock.advance(by: 1000)
        let error = try self.refusal(server, client, state)
        #expect(error.code == .certificateExpired)
        #expect(error.message.contains("CN=brief"))
    }

    @Test("When the intermediate has expired the full handshake says so", arguments: TLSVersion.allCases)
    func intermediateExpired(version: TLSVersion) throws {
        let authority = try TestAuthority()
        let middle = try CertificateIdentity.load(certificateFile: authority.intermediate("middle").certificate)
        let clock = TestClock(middle.notAfter - 3000)
        let files = try authority.client("alice", notAfter: "+2000d", issuer: "middle")
        var bench = try ResumptionBench(version, authority: authority, client: files, clock: clock)
        let own = try authority.server("lasting", notAfter: "+2000d")
        (bench.server.certificateChainFile, bench.server.privateKeyFile) = (own.certificate, own.key)
        let (server, client) = try bench.contexts()
        let state = try connect(server, client).state
        let (pair, last) = try connect(server, client, resuming: state)
        #expect(pair.server.session.isResumed)
        clock.advance(by: 3001)
        let error = try self.refusal(server, client, last)
        #expect(error.code == .certificateExpired)
        #expect(error.message.contains("CN=middle"))
        #expect(throws: TLSError.self) { try server.judgePeer(of: pair.server.session) }
    }

    @Test("When a revocation list has ended the full handshake says so", arguments: TLSVersion.allCases)
    func listEnded(version: TLSVersion) throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("middle")
        let files = try authority.client("alice", issuer: "middle")
        try authority.writeRevocationList(notAfter: "+30m")
        var bench = try ResumptionBench(version, authority: authority, client: files)
        bench.server.revocationListsFile = authority.crlFile
        let (server, client) = try bench.contexts()
        var state = try connect(server, client).state
        bench.clock.advance(by: 1500)
        let next = try connect(server, client, resuming: state)
        #expect(next.pair.server.session.isResumed)
        state = next.state
        bench.clock.advance(by: 400)
        #expect(try self.refusal(server, client, state).code == .revocationUnknown)
    }

    @Test("The owner may refuse, is told what was verified, and a full handshake follows")
    func ownersJudgement() throws {
        let authority = try TestAuthority()
        let intermediate = try CertificateIdentity.load(certificateFile: authority.intermediate("middle").certificate)
        let files = try authority.client("alice", issuer: "middle")
        var bench = try ResumptionBench(authority: authority, client: files)
        let seen = Mutex<[ResumptionEvidence]>([])
        let isAllowed = Atomic(true)
        bench.server.mayResume = { evidence in
            seen.withLock { $0.append(evidence) }
            return isAllowed.load(ordering: .relaxed)
        }
        let (server, client) = try bench.contexts()
        var next = try connect(server, client)
        var seenSoFar = seen.withLock { $0 }
        #expect(seenSoFar.isEmpty)
        next = try connect(server, client, resuming: next.state)
        #expect(next.pair.server.session.isResumed)
        isAllowed.store(false, ordering: .relaxed)
        #expect(try !connect(server, client, resuming: next.state).pair.server.session.isResumed)

        let leaf = try CertificateIdentity.load(certificateFile: files.certificate)
        let root = try CertificateIdentity.load(certificateFile: authority.caFile)
        let evidence = ResumptionEvidence(
            chainFingerprints: [leaf.fingerprint, intermediate.fingerprint, root.fingerprint],
            chainSerials: [leaf.serialNumber, intermediate.serialNumber, root.serialNumber],
            verifiedAt: bench.clock.now,
            leaf: leaf
        )
        seenSoFar = seen.withLock { $0 }
        #expect(seenSoFar == [evidence, evidence])
    }

    @Test("A client may judge too, and then does not offer the session")
    func clientsJudgement() throws {
        var bench = try ResumptionBench()
        bench.client.mayResume = { $0.leaf.dnsNames != ["localhost"] }
        let (server, client) = try bench.contexts()
        let state = try connect(server, client).state
        #expect(try !connect(server, client, resuming: state).pair.server.session.isResumed)
    }

    @Test("A session of another context is not resumed: not after a reload, and not at another server")
    func otherContext() throws {
        for version in TLSVersion.allCases {
            let bench = try ResumptionBench(version)
            let (server, client) = try bench.contexts()
            let state = try connect(server, client).state
            let reloaded = try TLSContext(bench.server)
            let pair = try connect(reloaded, client, resuming: state).pair
            #expect(!pair.server.session.isResumed)
            #expect(try pair.server.session.peerCertificate()?.commonNames == ["alice"])
        }
    }

    @Test("Who resumes is who was verified, whatever certificate the client would show now")
    func identity() throws {
        for version in TLSVersion.allCases {
            var bench = try ResumptionBench(version)
            let (server, client) = try bench.contexts()
            let state = try connect(server, client).state
            let bob = try bench.authority.client("bob")
            (bench.client.certificateChainFile, bench.client.privateKeyFile) = (bob.certificate, bob.key)
            let other = try TLSContext(bench.client)
            var next = try connect(server, other, resuming: state.moved(to: other))
            #expect(next.pair.server.session.isResumed)
            #expect(try next.pair.server.session.peerCertificate()?.commonNames == ["alice"])
            next = try connect(server, other, resuming: next.state)
            #expect(try next.pair.server.session.peerCertificate()?.commonNames == ["alice"])
            server.forgetAllSessions()
            next = try connect(server, other, resuming: next.state)
            #expect(try next.pair.server.session.peerCertificate()?.commonNames == ["bob"])
        }
    }

    @Test("A client without a certificate is let in where that is allowed, but its session is not kept")
    func noCertificate() throws {
        for version in TLSVersion.allCases {
            var bench = try ResumptionBench(version)
            bench.server.requireClientCertificate = false
            (bench.client.certificateChainFile, bench.client.privateKeyFile) = (nil, nil)
            let (server, client) = try bench.contexts()
            let state = try connect(server, client).state
            #expect(server.sessionCount == 0)
            let pair = try connect(server, client, resuming: state).pair
            #expect(!pair.server.session.isResumed)
            #expect(try pair.server.session.peerCertificate() == nil)
        }
    }
}
