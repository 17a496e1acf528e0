// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

/// Encodes itself as a test says.
private struct Handmade: Encodable {
    var body: @Sendable (any Encoder) throws -> Void

    init(_ body: @escaping @Sendable (any Encoder) throws -> Void) {
        self.body = body
    }

    func encode(to encoder: any Encoder) throws {
        try body(encoder)
    }
}

private enum Key: String, CodingKey {
    case a, b, c, d
}

@Suite("Types that code themselves by hand")
struct HandmadeCodingTests {
    @Test("Nested containers keep their place, whenever they are filled")
    func nested() throws {
        let value = Handmade { encoder in
            var outer = encoder.container(keyedBy: Key.self)
            var first = outer.nestedUnkeyedContainer(forKey: .a)
            var second = outer.nestedContainer(keyedBy: Key.self, forKey: .b)
            try outer.encode(1, forKey: .c)
            try second.encode(2, forKey: .d)
            try first.encode(3)
            var inner = first.nestedUnkeyedContainer()
            var object = first.nestedContainer(keyedBy: Key.self)
            try first.encode(4)
            #expect(first.count == 4)
            try inner.encode("x")
            try inner.encodeNil()
            try object.encodeNil(forKey: .a)
            try "sup".encode(to: outer.superEncoder())
            try 5.encode(to: first.superEncoder())
            try outer.encode(UInt128(6), forKey: .d)
        }
        #expect(
            json(try encoded(value)) == #"{"a":[3,["x",null],{"a":null},4,5],"b":{"d":2},"c":1,"super":"sup","d":6}"#
        )
    }

    @Test("Nested containers are read in any order, and know their way")
    func nestedDecoding() throws {
        struct Reader: Decodable {
            init(from decoder: any Decoder) throws {
                let outer = try decoder.container(keyedBy: Key.self)
                #expect(outer.allKeys == [.a, .b] && outer.contains(.a) && !outer.contains(.c))
                let object = try outer.nestedContainer(keyedBy: Key.self, forKey: .b)
                #expect(try object.decode(Int128.self, forKey: .d) == 2)
                #expect(object.codingPath.map(\.stringValue) == ["b"])
                #expect(try object.decodeNil(forKey: .c))
                #expect(throws: DecodingError.self) { try object.decodeNil(forKey: .a) }
                #expect(try object.decode(Int?.self, forKey: .a) == nil)
                #expect(try object.decode(IPCValue.self, forKey: .a) == .undefined)
                #expect(try object.decode(IPCValue.self, forKey: .c) == .null)
                var array = try outer.nestedUnkeyedContainer(forKey: .a)
                #expect(array.count == 4)
                // What does not fit may be tried as something else.
                #expect(throws: DecodingError.self) { try array.decode(String.self) }
                #expect(try array.decode(Int.self) == 3)
                #expect(try array.decodeNil())
                #expect(try !array.decodeNil())
                var inner = try array.nestedUnkeyedContainer()
                #expect(inner.codingPath.compactMap(\.intValue) == [2])
                #expect(try inner.decode(String.self) == "x" && inner.isAtEnd)
                #expect(throws: DecodingError.self) { try inner.decodeNil() }
                #expect(try array.superDecoder().singleValueContainer().decode(UInt128.self) == 9)
                #expect(array.isAtEnd)
                #expect(try outer.superDecoder().singleValueContainer().decodeNil())
            }
        }
        _ = try decoded(Reader.self, ["a": [3, .null, ["x"], 9], "b": ["d": 2, "c": .null]])
        #expect(decodingFailure([[Int]].self, [[], ["x"]]) == "typeMismatch at [1][0]")
    }

    @Test("A value that encodes nothing is an object without members")
    func nothing() throws {
        let nothing = Handmade { _ in }
        #expect(try encoded(nothing) == [:])
        #expect(try encoded([nothing]) == [[:]])
        #expect(try encoded(Handmade { _ = $0.unkeyedContainer() }) == [])
    }

    @Test("The same kind of container may be asked for again, another kind is refused")
    func twoContainers() throws {
        let twice = Handmade { encoder in
            var first = encoder.container(keyedBy: Key.self)
            var second = encoder.container(keyedBy: Key.self)
            try first.encode(1, forKey: .a)
            try second.encode(2, forKey: .b)
            try first.encode(3, forKey: .a)
        }
        #expect(json(try encoded(twice)) == #"{"a":3,"b":2}"#)
        let both = Handmade { encoder in
            var object = encoder.container(keyedBy: Key.self)
            var array = encoder.unkeyedContainer()
            try object.encode(1, forKey: .a)
            try array.encode(1)
        }
        #expect(encodingFailure(["x": [both]]) == "invalidValue at .x[0]")
        let twoValues = Handmade { encoder in
            var container = encoder.singleValueContainer()
            try container.encode(1)
            try container.encode([2])
        }
        #expect(encodingFailure([twoValues]) == "invalidValue at [0]")
    }

    @Test("An error of a value's own passes unchanged")
    func ownErrors() {
        struct Own: Error {}
        #expect(throws: Own.self) { try encoded([Handmade { _ in throw Own() }]) }
    }
}
