// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Arguments in the audit log")
struct AuditArgumentTests {
    /// The text of the member `argument`, which stands between two others.
    private static func argument(_ argument: [UInt8], bytes: Int? = 200, redact: [String] = []) throws -> String? {
        let line = try AuditSample.line(AuditSample.request(argument: argument), arguments: bytes, redact: redact)
        _ = try AuditSample.parse(line)
        let text = String(decoding: line, as: UTF8.self)
        guard let start = text.range(of: #","argument":"#), let end = text.range(of: #","upstream":"#) else {
            return nil
        }
        return String(text[start.upperBound..<end.lowerBound])
    }

    private static func json(_ text: String) -> [UInt8] { PolicyText.json(text) }

    @Test("are there only when they are wanted")
    func off() throws {
        let argument = PolicyText.text("secret")
        #expect(try Self.argument(argument, bytes: nil) == nil)
        #expect(try Self.argument([]) == nil)
        #expect(try Self.argument(argument) == #""secret""#)
        #expect(AuditSettings(destination: .syslog).keptArgumentBytes == 0)
        #expect(AuditSettings(destination: .syslog, arguments: 100).keptArgumentBytes >= 100)
    }

    @Test("are JSON")
    func values() throws {
        let value = IPCValue.array([
            .undefined, 5, "a\"é", .buffer([0]), .vsBuffer([1, 2]), .buffer([1, 2, 3]), .array([.undefined, -1]),
            .object(["a": 1.5, "b": .null, "c": [true, "\u{202e}"]]),
        ])
        let text = try Self.argument(ValueEncoder.encode(value))
        #expect(
            text == #"[null,5,"a\"é",{"$buffer":"AA=="},{"$buffer":"AQI="},{"$buffer":"AQID"},[null,-1],"#
                + #"{"a":1.5,"b":null,"c":[true,"\u202e"]}]"#
        )
        #expect(try Self.argument([0]) == "null")
        #expect(try Self.argument([4, 0]) == "[]")
        #expect(
            try Self.argument(Self.json(" {\n\"a\" : 1e400 , \"b\\u0062\":\"\\ud800\" } "))
                == #"{"a":null,"bb":"\ufffd\ufffd\ufffd"}"#
        )
    }

    @Test(
        "that can be read in more than one way are not shown",
        arguments: [#"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"[{"b":{"__proto__":1}}]"#]
    )
    func ambiguous(text: String) throws {
        let argument = PolicyText.array(PolicyText.text("x"), Self.json(text))
        #expect(try Self.argument(argument) == #"["x",{"$unreadable":"ambiguous"}]"#)
    }

    @Test("are cut at the bound, with the beginning as a text")
    func cut() throws {
        let text = PolicyText.text(String(repeating: "é", count: 30))
        #expect(try Self.argument(text, bytes: 20) == #"{"$cut":"\"ééééééééé"}"#)
        let list = PolicyText.array(PolicyText.text("abcdefgh"), PolicyText.text("ijklmnopqrst"))
        #expect(try Self.argument(list, bytes: 16) == #"{"$cut":"[\"abcdefgh\",\"ijk"}"#)
        #expect(try Self.argument(list, bytes: 27) == #"["abcdefgh","ijklmnopqrst"]"#)
        let buffer = ValueEncoder.encode(.buffer([UInt8](repeating: 1, count: 1000)))
        #expect(try Self.argument(buffer, bytes: 24) == #"{"$bufferBytes":1000}"#)
        let object = Self.json(#"{"a":""# + String(repeating: "x", count: 1 << 20) + #""}"#)
        #expect(try Self.argument(object, bytes: 100) == #"{"$unreadable":"long"}"#)
    }

    @Test("of which only the beginning was kept are cut where it ends")
    func beginning() throws {
        let whole = PolicyText.array(PolicyText.text("abcdefgh"), Self.json(#"{"a":1}"#), PolicyText.text("z"))
        for count in 1..<whole.count {
            let text = try #require(try Self.argument(Array(whole[..<count])))
            #expect(text.hasPrefix(#"{"$cut":"#), "\(count): \(text)")
        }
        #expect(try Self.argument(Array(whole[..<6])) == #"{"$cut":"[\"ab\""}"#)
        #expect(try Self.argument(Array(whole[..<14])) == #"{"$cut":"[\"abcdefgh\",{\"$unreadable\":\"long\"}"}"#)
        #expect(try Self.argument([9, 9, 9]) == #"{"$cut":""}"#)
    }

    @Test(
        "are redacted",
        arguments: [
            ("[0].password", #"[{"user":"u","password":"…","in":{"password":"p"}},"q"]"#),
            ("[0].in.password", #"[{"user":"u","password":"p","in":{"password":"…"}},"q"]"#),
            ("[0]", #"["…","q"]"#), ("[1]", #"[{"user":"u","password":"p","in":{"password":"p"}},"…"]"#),
            (".", #""…""#), ("[0].in", #"[{"user":"u","password":"p","in":"…"},"q"]"#),
            (#"["0"].user"#, #"[{"user":"…","password":"p","in":{"password":"p"}},"q"]"#),
            ("[2]", #"[{"user":"u","password":"p","in":{"password":"p"}},"q"]"#),
        ]
    )
    func redacted(place: String, text: String) throws {
        let inner = #"{"user":"u","password":"p","in":{"password":"p"}}"#
        let encoded = PolicyText.array(Self.json(inner), PolicyText.text("q"))
        #expect(try Self.argument(encoded, redact: [place]) == text)
        // The same as one JSON text, with an escape in the key.
        let object = Self.json("[\(inner.replacing("password", with: #"pass\u0077ord"#)),\"q\"]")
        #expect(try Self.argument(object, redact: [place]) == text)
    }

    @Test("are redacted in objects that pass for arrays, and whatever is cut")
    func redactedOddly() throws {
        #expect(
            try Self.argument(Self.json(#"{"0":{"k":"secret"},"length":1}"#), redact: ["[0].k"])
                == #"{"0":{"k":"…"},"length":1}"#
        )
        let argument = PolicyText.array(PolicyText.text(String(repeating: "s", count: 500)), PolicyText.text("after"))
        #expect(try Self.argument(argument, redact: ["[0]"]) == #"["…","after"]"#)
        for count in 1..<argument.count {
            let text = try #require(try Self.argument(Array(argument[..<count]), redact: ["[0]"]))
            #expect(!text.contains("s"))
        }
    }

    @Test("never make a line that cannot be read, whatever their bytes")
    func property() throws {
        var generator = SeededGenerator(seed: 11)
        let values = try Vectors.values()
        let encoded = values.encode.compactMap { $0.expected.bytes }
        let broken = try (values.decode + values.malformed).compactMap { try $0.hex.map { try [UInt8](hex: $0) } }
        let vectors = (encoded + broken).filter { !$0.isEmpty }
        try #require(vectors.count > 50)
        for round in 0..<4000 {
            var bytes = vectors[round % vectors.count]
            if round >= vectors.count, !bytes.isEmpty {
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
            }
            let bound = Int.random(in: 16...300, using: &generator)
            let request = AuditSample.request(argument: bytes)
            let line = try AuditSample.line(request, arguments: bound, redact: ["[0].a", "a", "[1][0]"])
            _ = try AuditSample.parse(line)
            // Escapes make of one byte six.
            #expect(line.count < 500 + 6 * bound)
        }
    }
}
