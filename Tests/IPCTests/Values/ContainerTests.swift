// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

@Suite("Structures, classes, enumerations and collections")
struct ContainerTests {
    private struct Person: Codable, Equatable {
        var name: String
        var age: Int?
        var tags: [String] = []
        var home: Home?

        struct Home: Codable, Equatable {
            var zip: UInt16
            var street: String
        }
    }

    private enum Shape: Codable, Equatable {
        case point
        case circle(radius: Double)
        case box(Int, Int)
    }

    private class Base: Codable {
        var base = 1
        init() {}
    }

    private final class Derived: Base {
        var derived: [Int] = [2]

        private enum Key: String, CodingKey {
            case derived
        }

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            derived = try container.decode([Int].self, forKey: .derived)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try super.encode(to: container.superEncoder())
            try container.encode(derived, forKey: .derived)
        }
    }

    @Test("A structure becomes an object, its members in the order they were encoded, without those that are nil")
    func structures() throws {
        let person = Person(name: "Ann", tags: ["x"], home: .init(zip: 1, street: "s"))
        let value = try encoded(person)
        #expect(json(value) == #"{"name":"Ann","tags":["x"],"home":{"zip":1,"street":"s"}}"#)
        #expect(try decoded(Person.self, value) == person)
        #expect(try decoded([Person].self, encoded([person, person])) == [person, person])
    }

    @Test("A member that is missing, null or undefined is nil; one that must be there is missed by name")
    func missingMembers() throws {
        let missing: IPCValue = ["name": "A", "tags": []]
        let null: IPCValue = ["name": "A", "tags": [], "age": .null, "home": .undefined]
        #expect(try decoded(Person.self, missing) == Person(name: "A"))
        #expect(try decoded(Person.self, null) == Person(name: "A"))
        #expect(decodingFailure(Person.self, ["name": "A"]) == "keyNotFound at .tags")
        #expect(decodingFailure(Person.self, ["name": "A", "tags": .undefined]) == "keyNotFound at .tags")
        #expect(decodingFailure(Person.self, ["name": "A", "tags": .null]) == "valueNotFound at .tags")
        #expect(decodingFailure(Person.self, "A") == "typeMismatch at the top")
    }

    @Test("An error deep inside tells the way to it")
    func paths() {
        let people: IPCValue = [["name": "A", "tags": [], "home": ["zip": 70_000, "street": ""]]]
        #expect(decodingFailure([Person].self, people) == "dataCorrupted at [0].home.zip")
        #expect(decodingFailure([String: [Person]].self, ["x": [["name": 1]]]) == "typeMismatch at .x[0].name")
    }

    @Test("An enumeration is written as the compiler has it")
    func enumerations() throws {
        let shapes: [Shape] = [.point, .circle(radius: 0.5), .box(1, 2)]
        let value = try encoded(shapes)
        #expect(json(value) == #"[{"point":{}},{"circle":{"radius":0.5}},{"box":{"_0":1,"_1":2}}]"#)
        #expect(try decoded([Shape].self, value) == shapes)
    }

    @Test("A class writes its superclass into a member, also after its own members were begun")
    func inheritance() throws {
        let object = Derived()
        object.base = 7
        let value = try encoded([object])
        #expect(json(value) == #"[{"super":{"base":7},"derived":[2]}]"#)
        let copy = try #require(try decoded([Derived].self, value).first)
        #expect(copy.base == 7 && copy.derived == [2])
    }

    @Test("Dictionaries are sorted by the bytes of their keys, array indexes first")
    func dictionaries() throws {
        let names = ["b": 1, "a": 2, "é": 3, "10": 4, "9": 5, "B": 6]
        #expect(json(try encoded(names)) == #"{"9":5,"10":4,"B":6,"a":2,"b":1,"é":3}"#)
        #expect(try decoded([String: Int].self, encoded(names)) == names)
        let numbers = [10: "x", -1: "y", 9: "z"]
        #expect(json(try encoded(numbers)) == #"{"9":"z","10":"x","-1":"y"}"#)
        #expect(try decoded([Int: String].self, encoded(numbers)) == numbers)
        #expect(decodingFailure([Int: String].self, ["a": "x"]) == "typeMismatch at .a")
        let many = Dictionary(uniqueKeysWithValues: (0..<1_000).map { ("k\($0)", ["v": $0]) })
        #expect(try decoded([String: [String: Int]].self, encoded(many)) == many)
        #expect(try encoded(many).object?.members.map(\.key.description) == many.keys.sorted())
    }

    @Test("nil is undefined where the protocol has undefined, and null in objects")
    func nils() throws {
        #expect(try encoded(nil as Int?) == .undefined)
        #expect(try encoded([1, nil, 3] as [Int?]) == [1, .undefined, 3])
        #expect(try encoded(["a": nil] as [String: Int?]) == ["a": .null])
        #expect(try encoded(["a": [nil, 1]] as [String: [Int?]]) == ["a": [.null, 1]])
        #expect(try decoded([Int?].self, [1, .undefined, .null]) == [1, nil, nil])
        #expect(try decoded(Int?.self, .undefined) == nil)
        #expect(try decoded(Int?.self, 1) == 1)
        #expect(try decoded([String: Int?].self, ["a": .null]) == ["a": nil])
    }

    @Test("userInfo reaches the value wherever it is")
    func userInfo() throws {
        let key = try #require(CodingUserInfoKey(rawValue: "unit"))
        struct Length: Codable, Equatable {
            static let key = CodingUserInfoKey(rawValue: "unit")
            var text: String

            init(from decoder: any Decoder) throws {
                text = Self.key.flatMap { decoder.userInfo[$0] as? String } ?? "none"
            }

            func encode(to encoder: any Encoder) throws {
                try (Self.key.flatMap { encoder.userInfo[$0] as? String } ?? "none").encode(to: encoder)
            }
        }
        let decoder = IPCValueDecoder(userInfo: [key: "mm"])
        let lengths = try decoder.decode([String: [Length]].self, from: ["a": [1]])
        #expect(lengths["a"]?.first?.text == "mm")
        #expect(try IPCValueEncoder(userInfo: [key: "cm"]).encode(lengths) == ["a": ["cm"]])
    }
}
