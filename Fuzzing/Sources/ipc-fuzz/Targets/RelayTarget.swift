// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

@testable import GatewayCore

/// What a peer states of a client: read as an independent reader has it, however much follows, and written as it was.
enum RelayTarget {
    private typealias Reading = Result<(statement: RelayStatement, byteCount: Int)?, SessionFailure>

    static func run(_ input: [UInt8]) {
        switch (read(input), Expected(input)) {
        case (.success(nil), .incomplete): break
        case (.failure(let failure), .refused):
            require([.malformed, .unsupportedVersion].contains(failure.code), "\(failure) is what is wrong with it")
        case (.success(let found?), .complete(let statement, let end)):
            require(found.byteCount == end, "the statement ends at \(end), not at \(found.byteCount)")
            require(found.statement == statement, "\(found.statement) is what an independent reader has")
            again(statement)
        case (let reading, let expected): require(false, "\(reading) is what an independent reader has: \(expected)")
        }
    }

    private static func read(_ bytes: [UInt8]) -> Reading {
        let reading = Reading { () throws(SessionFailure) in try RelayStatement.first(in: bytes.span) }
        // The defect: the frame's acknowledgement is not looked at.
        guard Target.isSpoiled, case .failure = reading, bytes.count > 9, bytes[5...8].contains(where: { $0 != 0 })
        else { return reading }
        var spoiled = bytes
        spoiled.replaceSubrange(5...8, with: [0, 0, 0, 0])
        return Reading { () throws(SessionFailure) in try RelayStatement.first(in: spoiled.span) }
    }

    /// What was understood can be stated to the next one, who reads the same, and nothing before it has come.
    private static func again(_ statement: RelayStatement) {
        guard let frame = statement.frame() else { return require(false, "what was stated can be stated") }
        guard case .success(let found?) = read(frame) else { return require(false, "what is written is read") }
        require(found.statement == statement && found.byteCount == frame.count, "what is written is read as it was")
        for count in [0, 12, 13, frame.count - 1] {
            guard case .success(nil) = read(Array(frame.prefix(count))) else {
                return require(false, "a beginning of a statement is not a statement")
            }
        }
    }

    /// What docs/peers.md says, by the independent reader of values.
    private enum Expected {
        case refused
        case incomplete
        case complete(RelayStatement, end: Int)

        init(_ bytes: [UInt8]) {
            guard bytes.count >= 13 else {
                self = .incomplete
                return
            }
            let length = bytes[9..<13].reduce(0) { $0 << 8 | Int($1) }
            let isStatement = bytes[0] == 2 && bytes[1...8].allSatisfy { $0 == 0 } && length <= 128 << 10
            guard isStatement, bytes.count >= 13 + length else {
                self = isStatement ? .incomplete : .refused
                return
            }
            self = Self.statement(Array(bytes[13..<13 + length])).map { .complete($0, end: 13 + length) } ?? .refused
        }

        private static func statement(_ body: [UInt8]) -> RelayStatement? {
            var reader = StrictReader(body, limits: IPCLimits(valueDepth: 2, valueElements: 64, jsonDepth: 1))
            guard case .array(let members)? = reader.readOnly(), members.count == 5,
                members[0] == .text(Array("relay".utf8)), members[1] == .number(1),
                case .text(let gateway) = members[2], case .text(let client) = members[3],
                case .array(let chain) = members[4], (1...16).contains(chain.count),
                (1...64).contains(gateway.count), gateway.allSatisfy(isOfName),
                client.count <= 128, client.allSatisfy({ (0x20...0x7E).contains($0) })
            else { return nil }
            var certificates: [[UInt8]] = []
            for element in chain {
                guard case .bytes(2, let bytes) = element, !bytes.isEmpty else { return nil }
                certificates.append(bytes)
            }
            return RelayStatement(
                gateway: String(decoding: gateway, as: UTF8.self),
                client: String(decoding: client, as: UTF8.self),
                chain: certificates
            )
        }

        private static func isOfName(_ byte: UInt8) -> Bool {
            "-_.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8.contains(byte)
        }
    }
}
