// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import TLSEngine
import Testing

@Suite struct DataTests {
    private func connected() throws -> TLSPair {
        let authority = try TestAuthority.shared()
        let pair = try TLSPair(
            server: authority.serverConfiguration(),
            client: authority.clientConfiguration(authority.client("alice"))
        )
        try #require(pair.handshake())
        return pair
    }

    private func bytes(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed) }
    }

    @Test(
        "Data arrives unchanged both ways",
        arguments: [0, 1, 2, 100, 16_383, 16_384, 16_385, 65_536, 1_048_576],
        [Int.max, 1021]
    )
    func bothWays(count: Int, chunkSize: Int) throws {
        let pair = try self.connected()
        let (up, down) = (self.bytes(count, seed: 1), self.bytes(count, seed: 7))
        try pair.client.write(up)
        try pair.server.write(down)
        pair.pump(chunkSize: chunkSize)
        #expect(pair.server.inbox == up)
        #expect(pair.client.inbox == down)
        #expect(pair.client.error == nil && pair.server.error == nil)
    }

    @Test("An empty write sends nothing")
    func emptyWrite() throws {
        let pair = try self.connected()
        try pair.client.write([])
        #expect(pair.client.output.isEmpty)
    }

    @Test("Many small writes arrive in order, and one read takes many records")
    func smallWrites() throws {
        let pair = try self.connected()
        let messages = (0..<1000).map { self.bytes($0 % 50, seed: $0) }
        for message in messages {
            try pair.client.write(message)
        }
        let ciphertext = pair.client.takeOutput()
        var plaintext = [UInt8](repeating: 0, count: 100_000)
        let outcome = try ciphertext.withUnsafeBytes { input in
            try pair.server.session.withInput(input) {
                try plaintext.withUnsafeMutableBytes { try pair.server.session.read(into: $0) }
            }
        }
        let expected = messages.flatMap(\.self)
        #expect(outcome == .bytes(expected.count))
        #expect(plaintext.prefix(expected.count).elementsEqual(expected))
    }

    @Test("Ciphertext that nobody has read is kept, and read first next time")
    func keptInput() throws {
        let pair = try self.connected()
        let message = self.bytes(50_000, seed: 3)
        try pair.client.write(message)
        let ciphertext = pair.client.takeOutput()
        let session = pair.server.session
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1000)
        func readOnce() throws -> TLSSession.ReadOutcome {
            let outcome = try buffer.withUnsafeMutableBytes { try session.read(into: $0) }
            if case .bytes(let count) = outcome {
                received += buffer[..<count]
            }
            return outcome
        }
        let half = ciphertext.count / 2
        _ = try ciphertext[..<half].withUnsafeBytes { try session.withInput($0, readOnce) }
        #expect(session.keptInputByteCount > 0)
        #expect(session.pendingPlaintextByteCount > 0)
        _ = try ciphertext[half...].withUnsafeBytes { try session.withInput($0, readOnce) }
        while try readOnce() != .needsInput {}
        #expect(session.keptInputByteCount == 0)
        #expect(received == message)
    }

    @Test("A read into no room takes nothing")
    func noRoom() throws {
        let pair = try self.connected()
        let outcome = try pair.server.session.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        #expect(outcome == .bytes(0))
    }

    @Test("After close_notify of one side the other still sends", arguments: [true, false])
    func halfClose(clientCloses: Bool) throws {
        let pair = try self.connected()
        let (closing, open) = clientCloses ? (pair.client, pair.server) : (pair.server, pair.client)
        try closing.write([1, 2, 3])
        closing.session.sendCloseNotify()
        let once = closing.output.count
        closing.session.sendCloseNotify()
        #expect(closing.output.count == once)
        pair.pump()
        #expect(open.inbox == [1, 2, 3])
        #expect(open.isClosed)
        #expect(open.session.hasReceivedCloseNotify)
        #expect(!closing.session.hasReceivedCloseNotify)
        let error = #expect(throws: TLSError.self) { try closing.write([4]) }
        #expect(error?.code == .misuse)

        let late = self.bytes(100_000, seed: 9)
        try open.write(late)
        pair.pump(chunkSize: 5000)
        #expect(closing.inbox == late)
        open.session.sendCloseNotify()
        pair.pump()
        #expect(closing.isClosed)
        #expect(closing.error == nil && open.error == nil)
    }

    @Test("Data behind close_notify is not read")
    func dataAfterClose() throws {
        let pair = try self.connected()
        pair.client.session.sendCloseNotify()
        pair.pump()
        pair.server.receive([23, 3, 3, 0, 1, 0])
        #expect(pair.server.inbox.isEmpty)
        #expect(pair.server.error == nil)
        #expect(pair.server.session.keptInputByteCount == 0)
    }

    @Test("A changed byte of a record is noticed, after all that came before it was delivered")
    func tampering() throws {
        let pair = try self.connected()
        try pair.client.write([1, 2, 3])
        var ciphertext = pair.client.takeOutput()
        try pair.client.write([4, 5, 6])
        ciphertext += pair.client.takeOutput()
        ciphertext[ciphertext.count - 1] ^= 1
        pair.server.receive(ciphertext[...])
        #expect(pair.server.inbox == [1, 2, 3])
        #expect(pair.server.error?.code == .protocolViolation)
        #expect(!pair.server.output.isEmpty)
        pair.server.session.withInput(UnsafeRawBufferPointer(start: nil, count: 0)) {}
        #expect(pair.server.session.keptInputByteCount == 0)
    }
}
