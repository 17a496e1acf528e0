// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import Testing

@Suite("What a gateway states of a client that it brings to another")
struct RelayStatementTests {
    private static let statement = RelayStatement(
        gateway: "gw-0",
        client: "192.0.2.7:4711",
        chain: [[1, 2, 3], Array(repeating: 7, count: 5000)]
    )

    private static func body(_ value: IPCValue) -> [UInt8] { ValueEncoder.encode(value) }

    @Test("comes back as it was, whatever follows it, and not before it is complete")
    func roundTrip() throws {
        let frame = try #require(Self.statement.frame())
        let bytes = frame + [9, 9, 9]
        for count in 0..<frame.count {
            let isComplete = try RelayStatement.first(in: bytes.span.extracting(first: count)) != nil
            #expect(!isComplete)
        }
        let (statement, count) = try #require(try RelayStatement.first(in: bytes.span))
        #expect(statement == Self.statement)
        #expect(count == frame.count)
    }

    @Test("is not made of too many certificates, nor of too large ones")
    func bounds() {
        var statement = Self.statement
        statement.chain = Array(repeating: [1], count: 17)
        #expect(statement.frame() == nil)
        statement.chain = [Array(repeating: 1, count: RelayStatement.byteCount)]
        #expect(statement.frame() == nil)
    }

    @Test(
        "is refused in any other form",
        arguments: [
            [], "relay", ["relay"], ["other", 1, "g", "c", [.buffer([1])]], ["relay", 1, "g", "c", []],
            ["relay", 1, "g", "c", ["text"]], ["relay", 1, "g", "c", [.buffer([])]],
            ["relay", 1, "", "c", [.buffer([1])]],
            ["relay", 1, "a b", "c", [.buffer([1])]], ["relay", 1, "g", "c\u{1B}[1m", [.buffer([1])]],
            ["relay", 1, "g", "\u{202E}", [.buffer([1])]], ["relay", 1, "g", "c", [.buffer([1])], 1],
        ] as [IPCValue]
    )
    func malformed(_ value: IPCValue) {
        #expect(throws: SessionFailure.self) { try RelayStatement(Self.body(value)) }
    }

    @Test("has a version")
    func version() {
        #expect(throws: SessionFailure(.unsupportedVersion, "only version 1 of relaying is spoken here")) {
            try RelayStatement(Self.body(["relay", 2, "g", "c", [.buffer([1])], "more"]))
        }
    }

    @Test("is refused by its header, before it has come", arguments: [FrameType.regular, .ack, .keepAlive])
    func header(_ type: FrameType) {
        let frame = Frame(type: type, body: [1]).encoded()
        #expect(throws: SessionFailure.self) { try RelayStatement.first(in: frame.span) }
        let large = FrameHeader(type: .control, length: UInt32(RelayStatement.byteCount + 1))
        var bytes: [UInt8] = []
        large.append(to: &bytes)
        #expect(throws: SessionFailure.self) { try RelayStatement.first(in: bytes.span) }
    }

    @Test("never crashes a reader, whatever it is made of")
    func noise() throws {
        let frame = try #require(Self.statement.frame())
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = frame
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<min(80, bytes.count), using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            _ = try? RelayStatement.first(in: bytes.span)
        }
    }
}
