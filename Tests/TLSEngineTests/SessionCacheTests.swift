// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import GatewayTestSupport
import Testing

@testable import TLSEngine

@Suite struct SessionCacheTests {
    /// A session with other bytes where its ticket (TLS 1.3) or its id (TLS 1.2) was.
    private func garbled(_ state: TLSResumptionState, context: TLSContext) throws -> TLSResumptionState {
        var count = 0
        var start: UnsafePointer<UInt8>?
        SSL_SESSION_get0_ticket(state.pointer, &start, &count)
        if count == 0 {
            var idCount: UInt32 = 0
            start = SSL_SESSION_get_id(state.pointer, &idCount)
            count = Int(idCount)
        }
        let name = Array(UnsafeBufferPointer(start: start, count: count))
        #expect(name.count == SessionID.byteCount)
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = Int(i2d_SSL_SESSION(state.pointer, &encoded))
        defer { copenssl_free(encoded) }
        var bytes = Array(UnsafeBufferPointer(start: encoded, count: length))
        for offset in 0...(bytes.count - name.count) where bytes[offset...].starts(with: name) {
            bytes[offset] ^= 0xff
        }
        let changed = bytes.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            return d2i_SSL_SESSION(nil, &position, buffer.count)
        }
        return TLSResumptionState(
            owning: try #require(changed),
            record: state.record,
            context: context,
            serverName: "localhost"
        )
    }

    @Test("A ticket that was made up leads to a full handshake", arguments: TLSVersion.allCases)
    func garbage(version: TLSVersion) throws {
        let (server, client) = try ResumptionBench(version).contexts()
        let state = try connect(server, client).state
        let made = try self.garbled(state, context: client)
        #expect(try !connect(server, client, resuming: made).pair.server.session.isResumed)
        #expect(try connect(server, client, resuming: state).pair.server.session.isResumed)
        for count in [0, 1, 31, 33, 1000] {
            #expect([UInt8](repeating: 1, count: count).withUnsafeBufferPointer { SessionID($0) } == nil)
        }
    }

    @Test("A session of TLS 1.2 without extended master secret is not kept")
    func extendedMasterSecret() throws {
        let (server, client) = try ResumptionBench(.tls12).contexts()
        SSL_CTX_set_options(client.pointer, 1)
        let pair = try TLSPair(server: server, client: client)
        #expect(pair.handshake())
        #expect(server.sessionCount == 0)
    }

    @Test("The oldest session goes when there are too many")
    func evictionByCount() throws {
        var bench = try ResumptionBench()
        bench.server.sessionCacheCount = 3
        let (server, client) = try bench.contexts()
        let states = try (0..<4).map { _ in try connect(server, client).state }
        #expect(server.sessionCount == 3)
        #expect(try connect(server, client, resuming: states[1]).pair.server.session.isResumed)
        #expect(server.sessionCount == 3)
        #expect(try !connect(server, client, resuming: states[0]).pair.server.session.isResumed)
        #expect(server.sessionCount == 3)
        #expect(try connect(server, client, resuming: states[3]).pair.server.session.isResumed)
    }

    // Of TLS 1.2 the certificates are kept as OpenSSL has them, which takes several times the memory.
    @Test(
        "Large certificates do not take more memory than is allowed",
        arguments: [(TLSVersion.tls12, 100_000), (.tls13, 22_000)]
    )
    func evictionByMemory(version: TLSVersion, byteCount: Int) throws {
        let authority = try TestAuthority.shared()
        let large = try authority.client("large", uris: (0..<100).map { "spiffe://example.org/a/long/name/\($0)" })
        var bench = try ResumptionBench(version)
        bench.server.sessionCacheByteCount = byteCount
        let server = try TLSContext(bench.server)
        let small = try TLSContext(bench.client)
        for _ in 0..<12 {
            _ = try connect(server, small)
        }
        #expect((8...11).contains(server.sessionCount), "\(server.sessionCount)")
        (bench.client.certificateChainFile, bench.client.privateKeyFile) = (large.certificate, large.key)
        let client = try TLSContext(bench.client)
        for _ in 0..<4 {
            let state = try connect(server, client).state
            #expect((1...9).contains(server.sessionCount))
            #expect(try connect(server, client, resuming: state).pair.server.session.isResumed)
        }
        #expect((1...3).contains(server.sessionCount), "\(server.sessionCount)")
        bench.server.sessionCacheByteCount = 1000
        let tiny = try TLSContext(bench.server)
        _ = try connect(tiny, client)
        #expect(tiny.sessionCount == 0)
    }

    @Test("Sessions are forgotten by what was verified, others stay")
    func forgetting() throws {
        var bench = try ResumptionBench()
        let (server, alice) = try bench.contexts()
        let files = try bench.authority.client("bob")
        (bench.client.certificateChainFile, bench.client.privateKeyFile) = (files.certificate, files.key)
        let bob = try TLSContext(bench.client)
        let states = (try connect(server, alice).state, try connect(server, bob).state)
        #expect(server.sessionCount == 2)
        #expect(server.forgetSessions { $0.leaf.commonNames == ["alice"] } == 1)
        #expect(server.sessionCount == 1)
        #expect(try !connect(server, alice, resuming: states.0).pair.server.session.isResumed)
        #expect(try connect(server, bob, resuming: states.1).pair.server.session.isResumed)
        server.forgetAllSessions()
        #expect(server.sessionCount == 0)
    }

    @Test("What is in the middle of its handshake while sessions are forgotten cannot be resumed")
    func forgettingMeanwhile() throws {
        let (server, client) = try ResumptionBench().contexts()
        for isResuming in [false, true] {
            let state = isResuming ? try connect(server, client).state : nil
            let pair = try TLSPair(server: server, client: client, resuming: state)
            pair.client.step()
            pair.server.receive(pair.client.takeOutput()[...])
            server.forgetAllSessions()
            pair.pump()
            #expect(pair.server.session.isHandshakeComplete)
            #expect(pair.server.session.isResumed == isResuming)
            #expect(server.sessionCount == 0)
        }
    }

    @Test("Two threads and more resume at the same context while sessions are forgotten")
    func manyThreads() async throws {
        for version in TLSVersion.allCases {
            let (server, client) = try ResumptionBench(version).contexts()
            let shared = try connect(server, client).state
            let resumed = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        var (state, resumed) = (shared, 0)
                        for round in 0..<50 {
                            let next = try connect(server, client, resuming: state)
                            resumed += next.pair.server.session.isResumed ? 1 : 0
                            state = next.state
                            if task == 0, round.isMultiple(of: 10) {
                                server.forgetSessions { _ in round.isMultiple(of: 20) }
                            }
                        }
                        return resumed
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(resumed > 50)
            #expect(server.sessionCount <= 205)
        }
    }

    @Test("Two thousand resumptions leave one session behind, and all others are freed")
    func noLeak() throws {
        let (server, client) = try ResumptionBench().contexts()
        var state = try connect(server, client).state
        weak var former: VerificationRecord?
        for _ in 0..<2_000 {
            let next = try connect(server, client, resuming: state)
            #expect(next.pair.server.session.isResumed)
            state = next.state
            former = next.pair.server.session.verificationRecord
        }
        // What OpenSSL holds is judged by the leak checker of the address sanitizer, which runs this test too: the memory
        // of a process in which other tests run proves nothing.
        #expect(server.sessionCount == 1)
        #expect(former != nil)
        server.forgetSessions { _ in true }
        state = try connect(server, client).state
        #expect(former == nil)
    }

    @Test("A context is freed with its sessions, and so is what clients keep")
    func freed() throws {
        weak var server: TLSContext?
        weak var client: TLSContext?
        weak var record: VerificationRecord?
        do {
            let contexts = try ResumptionBench().contexts()
            let first = try connect(contexts.server, contexts.client)
            let second = try connect(contexts.server, contexts.client, resuming: first.state)
            record = second.pair.server.session.verificationRecord
            (server, client) = contexts
            #expect(record != nil)
        }
        #expect(server == nil)
        #expect(client == nil)
        #expect(record == nil)
    }

    @Test("Elements keep their order whatever is removed")
    func ageOrder() {
        var order = AgeOrder<Int>()
        var slots = (0..<10).map { order.append($0) }
        #expect(order.oldest == 0)
        for removed in [0, 5, 9] {
            #expect(order.remove(slots[removed]) == removed)
            #expect(order.remove(slots[removed]) == nil)
        }
        slots = (10..<14).map { order.append($0) }
        #expect(order.all == [1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 13])
        #expect(order.count == 11)
        #expect(order[slots[3]] == 13)
        while let oldest = order.oldest, let slot = (1...20).first(where: { order[$0] == oldest }) {
            _ = order.remove(slot)
        }
        #expect(order.count == 0)
        #expect(order.all.isEmpty)
    }
}
