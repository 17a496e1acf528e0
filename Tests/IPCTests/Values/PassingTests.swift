// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPC
import IPCProtocol
import Testing

@Suite("Values that are the protocol's already")
struct PassingTests {
    private struct Holder: Codable, Equatable {
        var any: IPCValue
        var text: IPCString
        var object: IPCObject
        var maybe: IPCValue?
    }

    private static let lone = IPCString(utf16: [0xdc00])
    private static let values: [IPCValue] = [
        .undefined, .null, true, 1, 0.5, .number(.infinity), .string(lone), .buffer([1]), .vsBuffer([2]),
        [.undefined, [.buffer([3])]], ["b": 1, "a": .undefined, "c": [.null]],
    ]

    @Test("They pass unchanged at the top level and in arrays", arguments: values)
    func unchanged(value: IPCValue) throws {
        #expect(try encoded(value) == value)
        #expect(try encoded([value]) == [value])
        #expect(try encoded([[value]]) == [[value]])
        #expect(try decoded(IPCValue.self, value) == value)
        #expect(try decoded([[IPCValue]].self, [[value]]) == [[value]])
    }

    @Test("They pass unchanged as members, and so do strings and objects", arguments: values)
    func members(value: IPCValue) throws {
        let holder = Holder(any: value, text: Self.lone, object: ["z": 1, "a": value])
        let result = try encoded(holder)
        #expect(result == ["any": value, "text": .string(Self.lone), "object": ["z": 1, "a": value]])
        #expect(try decoded(Holder.self, result) == holder)
        let isNil = value == .null || value == .undefined
        #expect(try decoded([String: IPCValue?].self, ["a": value])["a"] ?? nil == (isNil ? nil : value))
    }

    @Test("They pass through a type that only forwards its coder")
    func forwarding() throws {
        struct Wrapper: Codable, Equatable {
            var value: IPCValue

            init(_ value: IPCValue) {
                self.value = value
            }

            init(from decoder: any Decoder) throws {
                value = try IPCValue(from: decoder)
            }

            func encode(to encoder: any Encoder) throws {
                try value.encode(to: encoder)
            }
        }
        #expect(try encoded([Wrapper(.vsBuffer([1])), Wrapper(.undefined)]) == [.vsBuffer([1]), .undefined])
        #expect(try decoded([Wrapper].self, [.undefined, 1]) == [Wrapper(.undefined), Wrapper(1)])
    }

    @Test("A string is asked for and something else found")
    func mismatches() {
        #expect(decodingFailure([IPCString].self, ["a", 1]) == "typeMismatch at [1]")
        #expect(decodingFailure([String: IPCObject].self, ["a": []]) == "typeMismatch at .a")
        #expect(decodingFailure([IPCValue].self, ["a": 1]) == "typeMismatch at the top")
    }

    @Test("Other coders write them as JSON has them, and read JSON")
    func otherCoders() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let value: IPCValue = [
            "a": [1, 0.5, true, .null, .undefined, "x", .string(Self.lone)], "b": ["c": .undefined],
        ]
        let data = try encoder.encode(value)
        #expect(
            String(decoding: data, as: UTF8.self) == #"{"a":[1,0.5,true,null,null,"x",""# + "\u{fffd}" + #""],"b":{}}"#
        )
        let back = try JSONDecoder().decode(IPCValue.self, from: data)
        #expect(back == ["a": [1, 0.5, true, .null, .null, "x", "\u{fffd}"], "b": [:]])
        #expect(try JSONDecoder().decode(IPCObject.self, from: data) == back.object)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([IPCString].self, from: Data("[1]".utf8)) }
    }
}
