// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import TLSEngine

/// Chains that were verified and are shown again, in full handshakes.
@Suite struct VerifiedChainTests {
    private static let day: Int64 = 24 * 3600

    /// A full handshake.
    ///
    /// - Returns: Whether the client's chain was verified in it, and what of the client is known.
    private func connect(_ server: TLSContext, _ client: TLSContext) throws -> (verified: Bool, pair: TLSPair) {
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake(), "\(String(describing: pair.server.error))")
        #expect(!pair.server.session.isResumed)
        return (pair.server.session.verifiedAt != nil, pair)
    }

    @Test("A chain is verified once, and what it proves is the same the second time", arguments: TLSVersion.allCases)
    func once(version: TLSVersion) throws {
        let bench = try ResumptionBench(version)
        let (server, client) = try bench.contexts()
        let first = try self.connect(server, client)
        let second = try self.connect(server, client)
        #expect(first.verified && !second.verified)
        #expect(server.verifiedChains?.count == 1)
        let sessions = [first.pair.server.session, second.pair.server.session]
        #expect(try sessions[0].peerCertificate() == sessions[1].peerCertificate())
        #expect(sessions[0].peerChain()?.certificates == sessions[1].peerChain()?.certificates)
        for session in sessions { try server.judgePeer(of: session) }
        // What is made with it can be resumed.
        let state = try #require(second.pair.client.session.resumableSession)
        let resumed = try TLSPair(server: server, client: client, resuming: state)
        #expect(resumed.handshake())
        #expect(resumed.server.session.isResumed)
        #expect(try resumed.server.session.peerCertificate()?.commonNames == ["alice"])
    }

    @Test("Another client, or the same with other certificates beside its own, is verified itself")
    func others() throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("middle")
        let files = try authority.client("alice", issuer: "middle")
        let bench = try ResumptionBench(authority: authority, client: files)
        let (server, client) = try bench.contexts()
        #expect(try self.connect(server, client).verified)
        #expect(try !self.connect(server, client).verified)
        var other = bench.client
        let bob = try authority.client("bob")
        (other.certificateChainFile, other.privateKeyFile) = (bob.certificate, bob.key)
        #expect(try self.connect(server, TLSContext(other)).verified)
        // Without its intermediate it would not be let in, whatever was verified before.
        var alone = bench.client
        let directory = try TemporaryDirectory()
        let text = try String(contentsOfFile: files.certificate, encoding: .utf8)
        let end = try #require(text.range(of: "-----END CERTIFICATE-----\n"))
        alone.certificateChainFile = try directory.write(String(text[..<end.upperBound]), to: "alone.pem")
        let pair = try TLSPair(server: server, client: TLSContext(alone))
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .issuerUnknown)
        #expect(server.verifiedChains?.count == 2)
    }

    @Test("When the lifetime of sessions is over, or the clock was set back, the chain is verified again")
    func lifetime() throws {
        let bench = try ResumptionBench()
        bench.clock.advance(by: 60)
        let (server, client) = try bench.contexts()
        #expect(try self.connect(server, client).verified)
        bench.clock.advance(by: 3599)
        #expect(try !self.connect(server, client).verified)
        bench.clock.advance(by: 1)
        #expect(try self.connect(server, client).verified)
        bench.clock.advance(by: -1)
        #expect(try self.connect(server, client).verified)
        #expect(server.verifiedChains?.count == 1)
    }

    @Test("A certificate that has expired meanwhile is refused")
    func expired() throws {
        let authority = try TestAuthority()
        var bench = try ResumptionBench(authority: authority, client: authority.client("brief", notAfter: "+1h"))
        bench.server.sessionLifetime = Int(Self.day)
        let (server, client) = try bench.contexts()
        #expect(try self.connect(server, client).verified)
        bench.clock.advance(by: 3000)
        #expect(try !self.connect(server, client).verified)
        bench.clock.advance(by: 1000)
        let pair = try TLSPair(server: server, client: client)
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .certificateExpired)
    }

    @Test("When a revocation list has ended nobody is let in by what it said")
    func listEnded() throws {
        let authority = try TestAuthority()
        try authority.writeRevocationList(notAfter: "+30m")
        var bench = try ResumptionBench(authority: authority, client: authority.client("alice"))
        bench.server.revocationListsFile = authority.crlFile
        let (server, client) = try bench.contexts()
        #expect(try self.connect(server, client).verified)
        #expect(try !self.connect(server, client).verified)
        bench.clock.advance(by: 1900)
        let pair = try TLSPair(server: server, client: client)
        #expect(!pair.handshake())
        #expect(pair.server.error?.code == .revocationUnknown)
    }

    @Test("A new context, and one that forgets, verifies again; without resumption every chain is")
    func forgetting() throws {
        var bench = try ResumptionBench()
        let (server, client) = try bench.contexts()
        #expect(try self.connect(server, client).verified)
        server.forgetSessions { $0.leaf.commonNames == ["bob"] }
        #expect(try !self.connect(server, client).verified)
        server.forgetAllSessions()
        #expect(try self.connect(server, client).verified)
        #expect(try self.connect(TLSContext(bench.server), client).verified)
        bench.server.sessionLifetime = 0
        let off = try TLSContext(bench.server)
        #expect(try self.connect(off, client).verified)
        #expect(try self.connect(off, client).verified)
    }

    @Test("What is remembered is bounded: the oldest goes")
    func bound() throws {
        let (server, client) = try ResumptionBench().contexts()
        let record = try #require(try self.connect(server, client).pair.server.session.verificationRecord)
        let chains = VerifiedChains()
        let keys = (0..<1030).map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        for key in keys { chains.remember(key, record) }
        #expect(chains.count == 1024)
        #expect(chains.record(keys[5], at: record.evidence.verifiedAt) == nil)
        #expect(chains.record(keys[6], at: record.evidence.verifiedAt) != nil)
        // Again is not twice.
        chains.remember(keys[6], record)
        #expect(chains.count == 1024)
        #expect(chains.record(keys[7], at: record.evidence.verifiedAt) != nil)
    }
}
