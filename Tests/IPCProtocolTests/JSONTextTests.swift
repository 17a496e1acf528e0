// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("JSON text")
struct JSONTextTests {
    private func parse(_ text: String) throws -> IPCValue {
        let bytes = Array(text.utf8)
        return try JSONText.parse(bytes.span, in: 0..<bytes.count)
    }

    private func print(_ value: IPCValue) -> String? {
        JSONText.write(value).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "is refused when it is not exactly one value",
        arguments: [
            "", " ", "{", "[", "]", "[}", "{]", "[1 2]", "[,]", "[1,,2]", "{,}", "{\"a\"}", "{\"a\":}", "{1:2}",
            "{\"a\":1 \"b\":2}", "\"", "\"\\", "\"\\u12\"", "\"\\u12g4\"", "\"\\q\"", "tru", "truex", "nulll", "-",
            "-a",
            "1e", "1e+", "1.e1", "00", "-01", "1 1", "[1]]", "{}{}", "\u{feff}1", "\u{a0}1", "Infinity", "\"\u{1f}\"",
        ]
    )
    func refused(text: String) {
        #expect(jsonError(text)?.code == .invalidJSON)
    }

    @Test(
        "is accepted in every legal spelling",
        arguments: [
            "0", "-0", "10", "-1.5e+10", "1E-2", " \t\r\n[ 1 , 2 ] \n", "{ \"a\" : [ { } , [ ] ] }",
            "\"\\u00Ff\\/\\b\"",
            "\"\u{7f}\u{2028}\"", "[[[]],{},\"\",null,true,false]", "\"\\ud800\"",
        ]
    )
    func accepted(text: String) throws {
        #expect(jsonError(text) == nil)
        _ = try parse(text)
    }

    @Test("is judged byte by byte at any place of a long string")
    func longStrings() {
        for place in 0..<100 {
            let verdicts: [(byte: UInt8, code: WireError.Code?)] = [
                (0x20, nil), (0x7f, nil), (0x22, .invalidJSON), (0x5c, .invalidJSON), (0x1f, .invalidJSON),
                (0x80, .invalidUTF8), (0xff, .invalidUTF8),
            ]
            for (byte, code) in verdicts {
                var text = [UInt8](repeating: 0x61, count: 100)
                text[place] = byte
                text = [0x22] + text + [0x22]
                let error = wireError { () throws(WireError) in
                    try JSONText.validate(text.span, in: 0..<text.count)
                }
                #expect(error?.code == code, "\(byte) at \(place)")
            }
        }
    }

    @Test("keeps its nesting within the limit, and a million levels do no harm")
    func depth() throws {
        for depth in [1, 63, 64, 65, 66, 200, 512] {
            let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
            let mixed =
                String(repeating: "[{\"a\":", count: depth / 2) + "1" + String(repeating: "}]", count: depth / 2)
            for text in [arrays, objects, mixed] {
                #expect(jsonError(text, maxDepth: depth) == nil)
                #expect(print(try parse(text)) == text)
            }
            #expect(jsonError(arrays, maxDepth: depth - 1)?.code == .tooDeep)
            #expect(jsonError(String(arrays.dropLast()) + "}")?.code == .invalidJSON)
        }
        let deepest = String(repeating: "[", count: 1_024) + String(repeating: "]", count: 1_024)
        let bytes = Array(deepest.utf8)
        _ = try JSONText.parse(bytes.span, in: 0..<bytes.count, maxDepth: .max)
        #expect(jsonError(String(repeating: "[", count: 1_000_000), maxDepth: .max)?.code == .tooDeep)
    }

    @Test(
        "prints numbers as JavaScript does",
        arguments: [
            (0.000001, "0.000001"), (0.0000001, "1e-7"), (1.5e-7, "1.5e-7"), (1e20, "100000000000000000000"),
            (1e21, "1e+21"), (1.25e21, "1.25e+21"), (-1e-5, "-0.00001"), (123.456, "123.456"),
            (.leastNonzeroMagnitude, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"), (9_007_199_254_740_992, "9007199254740992"),
            (18_014_398_509_481_984, "18014398509481984"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (100, "100"), (-0.0, "0"), (.infinity, "null"), (4.35, "4.35"), (1e23, "1e+23"),
        ]
    )
    func numbers(double: Double, text: String) {
        #expect(print(.number(double)) == text)
    }

    @Test("reads numbers of any length as the nearest double")
    func longNumbers() throws {
        #expect(try parse("123456789012345") == .number(123_456_789_012_345))
        #expect(try parse("-2147483648") == .int(.min))
        #expect(try parse("2147483648") == .number(2_147_483_648))
        #expect(try parse("1e-999") == .int(0))
        #expect(try parse("-1e999") == .number(-.infinity))
        #expect(try parse("0." + String(repeating: "3", count: 100_000)) == .number(1.0 / 3))
        #expect(try parse(String(repeating: "9", count: 100_000)) == .number(.infinity))
    }

    @Test("ends where its length says, even if what follows looks like more of it")
    func extent() throws {
        for (text, value) in [("1", IPCValue.int(1)), ("1.5", .number(1.5)), ("-2", .int(-2)), ("1e2", .int(100))] {
            let bytes: [UInt8] = [5, UInt8(text.utf8.count)] + Array((text + "05e-7").utf8)
            for mode in [ValueDecoder.Mode.strict, .lenient] {
                var offset = 0
                #expect(try ValueDecoder(mode: mode).decodePrefix(bytes.span, at: &offset) == value)
                #expect(offset == 2 + text.utf8.count)
            }
        }
    }

    @Test("joins escaped surrogates that meet, and keeps lone ones")
    func surrogates() throws {
        #expect(try parse(#""\ud83d\ude00""#) == "😀")
        let lone = try parse(#""\ude00\ud83dx\ud83d""#)
        #expect(lone == .string(IPCString(utf16: [0xde00, 0xd83d, 0x78, 0xd83d])))
        #expect(print(lone) == #""\ude00\ud83dx\ud83d""#)
        // A raw character between two halves keeps them apart.
        #expect(try parse(#""\ud83dé\ude00""#) == .string(IPCString(utf16: [0xd83d, 0xe9, 0xde00])))
    }

    @Test("orders members as JavaScript does, and of equal keys the last wins at the place of the first")
    func members() throws {
        #expect(print(try parse(#"{"b":1,"10":2,"a":3,"9":4,"b":5,"01":6}"#)) == #"{"9":4,"10":2,"b":5,"a":3,"01":6}"#)
        let edge = try parse(#"{"x":0,"4294967295":1,"4294967294":2}"#)
        #expect(print(edge) == #"{"4294967294":2,"x":0,"4294967295":1}"#)
        let many = (0..<2_000).map { "\"k\($0 % 1_000)\":\($0)" }.joined(separator: ",")
        #expect(try parse("{\(many)}").object?.members.count == 1_000)
    }

    @Test("has no text for undefined")
    func undefined() {
        #expect(JSONText.write(.undefined) == nil)
        #expect(print([.undefined, ["a": .undefined]]) == "[null,{}]")
    }
}
