// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import TLSEngine
import Testing

@Suite struct RobustnessTests {
    let server: TLSContext
    let client: TLSContext

    init() throws {
        let authority = try TestAuthority.shared()
        self.server = try TLSContext(authority.serverConfiguration())
        self.client = try TLSContext(authority.clientConfiguration(authority.client("alice")))
    }

    @Test("A handshake that ends at any byte, and goes on with garbage, never crashes or succeeds")
    func truncated() throws {
        let recorded = try TLSPair(server: self.server, client: self.client)
        try #require(recorded.handshake())
        for (bytes, isClient) in [(recorded.client.sent, false), (recorded.server.sent, true)] {
            for end in 0..<bytes.count {
                let pair = try TLSPair(server: self.server, client: self.client)
                let receiver = isClient ? pair.client : pair.server
                receiver.step()
                receiver.receive(bytes[..<end])
                #expect(!receiver.session.isHandshakeComplete)
                if end.isMultiple(of: 16) {
                    receiver.receive([UInt8](repeating: 0xff, count: 40)[...])
                    #expect(!receiver.session.isHandshakeComplete)
                }
            }
        }
    }

    @Test("A first message with any byte changed never crashes, and an error always has a text")
    func changedByte() throws {
        let recorded = try TLSPair(server: self.server, client: self.client)
        recorded.client.step()
        let hello = recorded.client.takeOutput()
        for index in hello.indices {
            var changed = hello
            changed[index] ^= 0xff
            let pair = try TLSPair(server: self.server, client: self.client)
            pair.server.receive(changed[...])
            if let error = pair.server.error {
                #expect(!error.message.isEmpty)
                #expect(error.code != .other, "byte \(index): \(error)")
            }
        }
    }

    @Test("Sessions are freed, whether complete, refused or hardly begun")
    func noLeaks() throws {
        weak var complete: TLSSession?
        weak var begun: TLSSession?
        weak var refused: TLSSession?
        weak var context: TLSContext?
        do {
            let authority = try TestAuthority.shared()
            let own = try TLSContext(authority.serverConfiguration())
            let pair = try TLSPair(server: own, client: self.client)
            pair.handshake()
            let other = try TLSPair(server: own, client: self.client)
            other.client.step()
            let third = try TLSPair(server: own, client: self.client)
            third.server.receive([0, 1, 2, 3, 4, 5, 6, 7])
            #expect(third.server.error?.code == .notTLS)
            (complete, begun, refused, context) = (pair.server.session, other.server.session, third.server.session, own)
        }
        #expect(complete == nil)
        #expect(begun == nil)
        #expect(refused == nil)
        #expect(context == nil)
    }

    @Test("One context serves many threads at once")
    func manyThreads() async throws {
        let (server, client) = (self.server, self.client)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try (0..<20).allSatisfy { _ in
                        let pair = try TLSPair(server: server, client: client)
                        let isGood = pair.handshake()
                        try server.judgePeer(of: pair.server.session)
                        return isGood
                    }
                }
            }
            for try await isGood in group {
                #expect(isGood)
            }
        }
    }
}
