// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Recorded values")
struct ValueVectorTests {
    /// The recorded inputs that have no description, as values; a Date has none: it is a string, but travels as JSON.
    private static let sources: [String: IPCValue] = [
        "object with undefined member": ["a": .undefined, "b": [.undefined]],
        "object with NaN member": ["a": .number(.nan), "b": .number(-0.0)],
        "object with a Buffer member": ["b": .buffer([1, 2])],
        "object with a VSBuffer member": ["b": .vsBuffer([1, 2])],
        "plain Uint8Array (not a Buffer)": ["1": 2, "0": 1],
        "invalid Date": .number(.nan),
        "RegExp": [:],
        "Map": [:],
        "Error object": [:],
        "URI file": ["$mid": 1, "path": "/foo bar", "scheme": "file"],
        "URI https": [
            "$mid": 1, "path": "/p", "scheme": "https", "authority": "u@h:1", "query": "q=1", "fragment": "f",
        ],
        "URI after toString and fsPath were used": [
            "$mid": 1, "fsPath": "/x", "external": "file:///x", "path": "/x", "scheme": "file",
        ],
    ]

    @Test(
        "every recorded value encodes to the bytes VS Code wrote, accepted by the walker, and decodes to what VS Code read"
    )
    func encode() throws {
        let cases = try Vectors.values().encode
        #expect(cases.count == 119)
        var unrepresentable: [String] = []
        for vector in cases {
            guard let value = vector.value ?? Self.sources[vector.name] else {
                unrepresentable.append(vector.name)
                let bytes = try #require(vector.expected.bytes)
                #expect(try ValueDecoder().decode(bytes.span) == vector.decoded)
                continue
            }
            let bytes = ValueEncoder.encode(value)
            #expect(vector.expected.matches(bytes), "\(vector.name): \(bytes.prefix(64).map { $0 })")
            #expect(throws: Never.self, "\(vector.name)") { try ValueWalker.validate(bytes.span) }
            for mode in [ValueDecoder.Mode.strict, .lenient] {
                #expect(try ValueDecoder(mode: mode).decode(bytes.span) == vector.decoded, "\(vector.name)")
            }
        }
        #expect(unrepresentable == ["Date"])
    }

    @Test("what VS Code refuses to encode cannot be expressed as a value")
    func encodeErrors() throws {
        // There are no values for bigints, functions and symbols, values cannot be circular, and nothing runs code.
        let names = try Vectors.values().encodeErrors.map(\.name)
        #expect(
            names == [
                "bigint", "bigint inside object", "function", "symbol", "circular object", "circular array",
                "toJSON returning undefined",
            ]
        )
    }

    /// Why the strict decoder refuses what VS Code reads; what is not listed it accepts.
    private static let refusals: [String: WireError.Code] = [
        "JSON invalid UTF-8 inside a string is replaced": .invalidUTF8,
        "JSON UTF-8 encoded surrogate is replaced": .invalidUTF8,
        "string invalid UTF-8": .invalidUTF8,
        "string truncated multi-byte": .invalidUTF8,
        "string e2 82 then a": .invalidUTF8,
        "string UTF-8 surrogate": .invalidUTF8,
        "string overlong NUL": .invalidUTF8,
        "string beyond U+10FFFF": .invalidUTF8,
        "string truncated 4-byte": .invalidUTF8,
        "trailing bytes are left unread": .trailingBytes,
        "overlong VQL for 0": .nonCanonicalLength,
        "overlong VQL for 1, five bytes": .nonCanonicalLength,
        "five-byte VQL, bits above 32 dropped": .lengthOutOfRange,
        "five-byte VQL ff ff ff ff 7f": .lengthOutOfRange,
    ]

    /// Why the strict decoder refuses what is broken; what is not listed is `invalidJSON`.
    private static let faults: [String: WireError.Code] = [
        "empty input": .truncated,
        "unknown tag 7": .unknownTag,
        "unknown tag 255": .unknownTag,
        "unknown tag inside an array": .unknownTag,
        "string tag only": .truncated,
        "string shorter than its length": .truncated,
        "Buffer shorter than its length": .truncated,
        "VSBuffer shorter than its length": .truncated,
        "array shorter than its length": .countExceedsInput,
        "object shorter than its length": .truncated,
        "int tag only": .truncated,
        "int cut after a continuation byte": .truncated,
        "six-byte VQL wraps the shift (bit 35 becomes bit 3)": .lengthOutOfRange,
        "ten-byte VQL": .lengthOutOfRange,
        "thirteen-byte VQL": .lengthOutOfRange,
        "string length -1": .lengthOutOfRange,
        "string length -10 (reads backwards from the end)": .lengthOutOfRange,
        "VSBuffer length -9 (reads backwards from the end)": .lengthOutOfRange,
        "object length -1": .lengthOutOfRange,
        "array length -1": .lengthOutOfRange,
        "array length -2147483648": .lengthOutOfRange,
        "string length 2147483647 with one byte": .truncated,
        "array of 1,000,000 elements with no data": .countExceedsInput,
        "array of 2^31-1 elements with no data": .countExceedsInput,
        "6,852 nested arrays": .tooDeep,
    ]

    @Test("the strict decoder accepts or refuses each odd form for the documented reason")
    func strictVerdicts() throws {
        let vectors = try Vectors.values()
        #expect(vectors.decode.count == 35)
        #expect(Set(Self.refusals.keys).isSubset(of: vectors.decode.map(\.name)))
        for vector in vectors.decode {
            try expectStrict(vector, refusal: Self.refusals[vector.name])
        }
        #expect(vectors.malformed.count == 45)
        #expect(Set(Self.faults.keys).isSubset(of: vectors.malformed.map(\.name)))
        for vector in vectors.malformed {
            let isJSON = vector.name.hasPrefix("JSON ") || vector.name == "object of length 0"
            #expect(isJSON == (Self.faults[vector.name] == nil), "\(vector.name)")
            try expectStrict(vector, refusal: Self.faults[vector.name] ?? .invalidJSON)
        }
    }

    @Test("the lenient decoder reads what VS Code read, and as far, except where that is fatal")
    func lenientValues() throws {
        let vectors = try Vectors.values()
        for vector in vectors.decode + vectors.malformed {
            let bytes = try Self.bytes(of: vector)
            let decoder = ValueDecoder(mode: .lenient)
            var offset = 0
            switch (vector.result, vector.name) {
            case ("value", "array of 1,000,000 elements with no data"):
                let value = try decoder.decodePrefix(bytes.span, at: &offset)
                #expect(value == .array(Array(repeating: .undefined, count: 1_000_000)))
            case ("value", _):
                #expect(try decoder.decodePrefix(bytes.span, at: &offset) == vector.decoded, "\(vector.name)")
                #expect(offset == vector.consumed, "\(vector.name)")
            case ("throws", "6,852 nested arrays"):
                #expect(wireError { () throws(WireError) in _ = try decoder.decode(bytes.span) }?.code == .tooDeep)
            case ("throws", _):
                #expect(
                    wireError { () throws(WireError) in _ = try decoder.decode(bytes.span) }?.code == .invalidJSON,
                    "\(vector.name)"
                )
            default:
                #expect(vector.result == "process crash")
                let error = wireError { () throws(WireError) in _ = try decoder.decode(bytes.span) }
                #expect(error?.code == .tooManyElements)
            }
        }
    }

    private func expectStrict(_ vector: ValueVectors.DecodeCase, refusal: WireError.Code?) throws {
        let bytes = try Self.bytes(of: vector)
        let walked = wireError { () throws(WireError) in try ValueWalker.validate(bytes.span) }
        let decoded = wireError { () throws(WireError) in _ = try ValueDecoder().decode(bytes.span) }
        #expect(walked == decoded, "\(vector.name)")
        #expect(walked?.code == refusal, "\(vector.name): \(walked?.description ?? "accepted")")
        if refusal == nil {
            #expect(try ValueDecoder().decode(bytes.span) == vector.decoded, "\(vector.name)")
        }
    }

    private static func bytes(of vector: ValueVectors.DecodeCase) throws -> [UInt8] {
        if let hex = vector.hex {
            return try [UInt8](hex: hex)
        }
        return nestedArrays(6_852)
    }
}
