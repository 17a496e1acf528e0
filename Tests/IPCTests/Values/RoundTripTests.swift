// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Random values")
struct RoundTripTests {
    private indirect enum Tree: Codable, Equatable {
        case leaf(Leaf)
        case list([Tree])
        case table([String: Tree])
        case pair(left: Tree?, right: Tree)
    }

    private struct Leaf: Codable, Equatable {
        var flag: Bool?
        var small: Int8
        var wide: Int64
        var unsigned: UInt32
        var real: Double
        var single: Float
        var text: String
        var bytes: [UInt8]
        var choices: [Bool?]
        var date: IPCDate
        var uri: IPCURI?
    }

    @Test("Whatever is encoded comes back, also by way of the wire")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<400 {
            let tree = Self.tree(&generator, depth: 4)
            let value = try encoded(tree)
            #expect(try decoded(Tree.self, value) == tree)
            let received = try ValueDecoder().decode(ValueEncoder.encode(value).span)
            #expect(received == value)
            #expect(try decoded(Tree.self, received) == tree)
        }
    }

    @Test("Whatever is decoded, nothing but DecodingError is thrown")
    func noise() {
        var generator = SeededGenerator(seed: 12)
        var failures = 0
        for _ in 0..<2_000 {
            let value = Self.noise(&generator, depth: 3)
            do {
                _ = try decoded([String: [Int?]].self, value)
                _ = try decoded(IPCURI.self, value)
            } catch is DecodingError {
                failures += 1
            } catch {
                Issue.record("\(error)")
            }
            _ = try? decoded(IPCBuffer.self, value)
            _ = try? decoded(IPCDate.self, value)
            _ = IPCMarker.kind(of: value)
            #expect(decodingFailure(IPCValue.self, value) == nil)
        }
        #expect(failures > 1_000)
    }

    private static func tree(_ generator: inout SeededGenerator, depth: Int) -> Tree {
        let count = Int.random(in: 0...4, using: &generator)
        switch Int.random(in: 0..<(depth > 0 ? 4 : 1), using: &generator) {
        case 0: return .leaf(leaf(&generator))
        case 1: return .list((0..<count).map { _ in tree(&generator, depth: depth - 1) })
        case 2:
            let members = (0..<count).map { _ in (text(&generator), tree(&generator, depth: depth - 1)) }
            return .table(Dictionary(members) { first, _ in first })
        default:
            let left = Bool.random(using: &generator) ? tree(&generator, depth: depth - 1) : nil
            return .pair(left: left, right: tree(&generator, depth: depth - 1))
        }
    }

    private static func leaf(_ generator: inout SeededGenerator) -> Leaf {
        let double = Double(bitPattern: generator.next())
        let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
        return Leaf(
            flag: [nil, true, false].randomElement(using: &generator) ?? nil,
            small: Int8(truncatingIfNeeded: generator.next()),
            wide: .random(in: -(1 << 53)...(1 << 53), using: &generator),
            unsigned: UInt32(truncatingIfNeeded: generator.next()),
            real: double.isFinite ? double : 0,
            single: float.isFinite ? float : 0,
            text: text(&generator),
            bytes: (0..<Int.random(in: 0...3, using: &generator)).map { _ in UInt8(truncatingIfNeeded: generator.next())
            },
            choices: (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                [nil, true, false].randomElement(using: &generator) ?? nil
            },
            date: IPCDate(
                millisecondsSince1970: Double(
                    Int.random(in: -8_640_000_000_000_000...8_640_000_000_000_000, using: &generator)
                )
            ),
            uri: IPCURI(scheme: "x", authority: text(&generator), path: "/" + text(&generator), query: text(&generator))
        )
    }

    private static func text(_ generator: inout SeededGenerator) -> String {
        let scalars: [Character] = [
            "a", "Z", "0", "/", "%", "\"", "\\", "\u{0}", "é", "€", "\u{1f600}", "\u{301}", "@", ":",
        ]
        return String(
            (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in scalars.randomElement(using: &generator) }
        )
    }

    private static func noise(_ generator: inout SeededGenerator, depth: Int) -> IPCValue {
        let count = Int.random(in: 0...3, using: &generator)
        switch Int.random(in: 0..<(depth > 0 ? 11 : 8), using: &generator) {
        case 0: return .undefined
        case 1: return .null
        case 2: return .bool(true)
        case 3: return .int(Int32(truncatingIfNeeded: generator.next()))
        case 4:
            let double = Double(bitPattern: generator.next())
            return .number(double.isNaN ? 0.5 : double)
        case 5: return .string(IPCString(utf16: [UInt16(truncatingIfNeeded: generator.next())]))
        case 6: return .buffer([1])
        case 7: return .vsBuffer([2])
        case 8: return .array((0..<count).map { _ in noise(&generator, depth: depth - 1) })
        default:
            let keys: [IPCString] = ["$mid", "scheme", "path", "authority", "type", "data", "source", "a", "0"]
            return .object(
                IPCObject(
                    (0..<count + 1).compactMap { _ in
                        keys.randomElement(using: &generator).map {
                            IPCObject.Member(key: $0, value: noise(&generator, depth: depth - 1))
                        }
                    }
                )
            )
        }
    }
}
