// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("The value walker")
struct ValueWalkerTests {
    @Test("refuses every valid value when it is cut short anywhere")
    func truncation() throws {
        for vector in try Vectors.values().encode {
            guard let bytes = vector.expected.bytes, bytes.count < 512 else { continue }
            for length in bytes.indices {
                #expect(walkError(Array(bytes[..<length])) != nil, "\(vector.name) cut to \(length)")
            }
        }
    }

    @Test("refuses every valid value when something follows it")
    func trailing() throws {
        for vector in try Vectors.values().encode {
            guard let bytes = vector.expected.bytes else { continue }
            #expect(walkError(bytes + [0])?.code == .trailingBytes)
        }
    }

    @Test("refuses arrays nested one deeper than the limit, and ten thousand deep without harm")
    func depth() {
        #expect(walkError(nestedArrays(64)) == nil)
        #expect(walkError(nestedArrays(65)) == WireError(.tooDeep, at: 128, allowed: 64))
        #expect(walkError(nestedArrays(10_000))?.code == .tooDeep)
        let limits = IPCLimits(valueDepth: .max)
        #expect(walkError(nestedArrays(IPCLimits.deepestNesting), limits: limits) == nil)
        #expect(walkError(nestedArrays(1_000_000), limits: limits)?.code == .tooDeep)
    }

    @Test("refuses a count of two thousand million at once, and says so")
    func hugeCount() throws {
        let bytes = try [UInt8](hex: "04 80a8d6b907 010161")
        #expect(walkError(bytes) == WireError(.countExceedsInput, at: 0, found: 2_000_000_000, allowed: 3))
        #expect(
            walkError(bytes)?.description
                == "an array at byte 0 announces 2000000000 elements but only 3 bytes follow"
        )
    }

    @Test("counts the elements of all levels against one limit")
    func elements() {
        let limits = IPCLimits(valueElements: 6)
        let value: [UInt8] = [4, 2, 4, 2, 0, 0, 4, 2, 0, 0]
        #expect(walkError(value, limits: limits) == nil)
        #expect(walkError([4, 1] + value, limits: limits)?.code == .tooManyElements)
        // Siblings of arrays do not add depth, only elements.
        #expect(walkError(value, limits: IPCLimits(valueDepth: 2)) == nil)
    }

    @Test(
        "refuses lengths and integers that are not in their shortest form or do not fit 32 bits",
        arguments: [
            ("06 8000", WireError.Code.nonCanonicalLength),
            ("06 81808000", .nonCanonicalLength),
            ("06 ffffffff00", .nonCanonicalLength),
            ("06 ffffffff10", .lengthOutOfRange),
            ("06 ffffffff8f00", .lengthOutOfRange),
            ("01 8000", .nonCanonicalLength),
            ("02 8080808008", .lengthOutOfRange),
            ("04 ffffffff0f", .lengthOutOfRange),
            ("05 81808080808001", .lengthOutOfRange),
            ("03 8180", .truncated),
        ]
    )
    func lengths(hex: String, code: WireError.Code) throws {
        #expect(walkError(try [UInt8](hex: hex))?.code == code)
    }

    @Test("finds invalid UTF-8 at any place of a long text", arguments: [0, 7, 31, 32, 33, 63, 64, 99])
    func invalidText(place: Int) throws {
        var text = [UInt8](repeating: 0x61, count: 100)
        #expect(walkError([1, 100] + text) == nil)
        text[place] = 0xff
        #expect(walkError([1, 100] + text) == WireError(.invalidUTF8, at: 2 + place))
    }

    @Test("finds invalid UTF-8 at any place of a text of any length, and takes what is valid there")
    func invalidShortText() {
        for count in 0...70 {
            let text = [UInt8](repeating: 0x61, count: count)
            var wrong = walkError([1, UInt8(count)] + text) == nil ? 0 : 1
            for place in 0..<count {
                for byte: UInt8 in [0x80, 0xc3, 0xff] {
                    var broken = text
                    broken[place] = byte
                    if walkError([1, UInt8(count)] + broken) != WireError(.invalidUTF8, at: 2 + place) { wrong += 1 }
                }
                guard place + 1 < count else { continue }
                var good = text
                good[place...place + 1] = [0xc3, 0xa9]
                if walkError([1, UInt8(count)] + good) != nil { wrong += 1 }
                guard place + 2 < count else { continue }
                good[place + 2] = 0xbf
                if walkError([1, UInt8(count)] + good) != WireError(.invalidUTF8, at: 4 + place) { wrong += 1 }
            }
            #expect(wrong == 0, "\(count) bytes")
        }
    }

    @Test("reads every number of two bytes, and none that needs one only")
    func twoBytes() {
        var wrong = 0
        for low in UInt8(0x80)...0xff {
            for high in UInt8(0)...0x7f {
                let bytes = [low, high]
                var offset = 0
                let number = try? VQL.read(bytes.span, at: &offset)
                let expected = high == 0 ? nil : Int32(low & 0x7f) + Int32(high) * 128
                if number != expected || offset != (high == 0 ? 0 : 2) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test("judges UTF-8 of one to four bytes as Swift's own validation does")
    func utf8() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...5, using: &generator)).map { _ -> UInt8 in
                [0x61, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5]
                    .randomElement(using: &generator) ?? 0
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect((walkError([1, UInt8(bytes.count)] + bytes) == nil) == isValid, "\(bytes)")
        }
    }
}
