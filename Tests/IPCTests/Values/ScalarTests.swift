// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

@Suite("Numbers, booleans and strings")
struct ScalarTests {
    @Test("An integer of 32 bits becomes an int, a bigger one a number")
    func integers() throws {
        #expect(try encoded(Int32.max) == .int(.max))
        #expect(try encoded(Int32.min) == .int(.min))
        #expect(try encoded(UInt32.max) == .number(4_294_967_295))
        #expect(try encoded(Int64(Int32.min) - 1) == .number(-2_147_483_649))
        #expect(try encoded([1 as UInt8, 255]) == [1, 255])
        #expect(try encoded(-1 as Int8) == -1)
        #expect(try encoded(-300 as Int16) == -300)
        #expect(try encoded(300 as UInt16) == 300)
        #expect(try encoded(1 << 53 as Int128) == .number(9_007_199_254_740_992))
        #expect(try encoded([7 as UInt128]) == [7])
    }

    @Test("An integer beyond 2⁵³ is refused with its path")
    func tooBigIntegers() throws {
        struct Holder: Encodable {
            var numbers: [UInt64]
        }
        #expect(encodingFailure(Int.max) == "invalidValue at the top")
        #expect(encodingFailure(-(1 << 53) - 1) == "invalidValue at the top")
        #expect(encodingFailure(UInt128.max) == "invalidValue at the top")
        #expect(encodingFailure(Holder(numbers: [0, 1 << 53, 1 << 60])) == "invalidValue at .numbers[2]")
    }

    @Test("An integer is made only of a number that has its value")
    func decodedIntegers() throws {
        #expect(try decoded(Int.self, 5) == 5)
        #expect(try decoded(Int.self, .number(-0.0)) == 0)
        #expect(try decoded(UInt64.self, .number(9_007_199_254_740_992)) == 1 << 53)
        #expect(try decoded(Int128.self, .number(4_294_967_296)) == 1 << 32)
        #expect(try decoded([UInt128].self, [3]) == [3])
        #expect(try decoded(UInt8.self, .number(255)) == 255)
        #expect(decodingFailure(UInt8.self, 256) == "dataCorrupted at the top")
        #expect(decodingFailure(UInt.self, -1) == "dataCorrupted at the top")
        #expect(decodingFailure(Int.self, 0.5) == "dataCorrupted at the top")
        #expect(decodingFailure(Int.self, .number(1e300)) == "dataCorrupted at the top")
        #expect(decodingFailure(Int.self, .number(.nan)) == "dataCorrupted at the top")
        #expect(decodingFailure(Int.self, .number(9_007_199_254_740_994)) == "dataCorrupted at the top")
        #expect(decodingFailure([Int8].self, [1, 2, "3"]) == "typeMismatch at [2]")
        #expect(decodingFailure(Int.self, true) == "typeMismatch at the top")
        #expect(decodingFailure(Int.self, .null) == "valueNotFound at the top")
    }

    @Test("A whole Double becomes an int, as JavaScript has it, and comes back as a Double")
    func doubles() throws {
        #expect(try encoded(1.0) == .int(1))
        #expect(try encoded(0.5) == .number(0.5))
        #expect(try encoded([0.25 as Float]) == [0.25])
        #expect(try decoded(Double.self, .int(1)) == 1)
        #expect(try decoded(Float.self, 0.1) == 0.1)
        #expect(try decoded(Float16.self, encoded(1.5 as Float16)) == 1.5)
        #expect(decodingFailure(Float.self, .number(1e300)) == "dataCorrupted at the top")
        #expect(try decoded(Float.self, .number(-.infinity)) == -.infinity)
        #expect(decodingFailure(Double.self, "1") == "typeMismatch at the top")
    }

    @Test("A number that is not finite is refused with its path", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(double: Double) {
        #expect(encodingFailure(double) == "invalidValue at the top")
        #expect(encodingFailure(["a": [double]]) == "invalidValue at .a[0]")
        #expect(encodingFailure([Float(double)]) == "invalidValue at [0]")
    }

    @Test("Only a boolean is a Bool, and only a string a String")
    func boolsAndStrings() throws {
        #expect(try encoded([true, false]) == [true, false])
        #expect(try decoded([Bool].self, [true, false]) == [true, false])
        #expect(decodingFailure(Bool.self, 1) == "typeMismatch at the top")
        #expect(try encoded("é") == "é")
        #expect(try decoded(String.self, "é") == "é")
        #expect(decodingFailure(String.self, 1) == "typeMismatch at the top")
        #expect(try encoded("x" as Character.Wrapped) == "x")
    }

    @Test("A surrogate without a partner is no String, and the error says what to do")
    func loneSurrogates() throws {
        let text = IPCString(utf16: [0x61, 0xd800])
        #expect(throws: DecodingError.self) { try decoded(String.self, .string(text)) }
        #expect(decodingFailure([String].self, ["a", .string(text)]) == "dataCorrupted at [1]")
        #expect(try decoded(IPCString.self, .string(text)) == text)
        let object: IPCValue = .object(IPCObject([.init(key: text, value: 1)]))
        // A dictionary would otherwise lose the member without a word.
        #expect(decodingFailure([String: Int].self, object) == "keyNotFound at .a\u{fffd}")
        #expect(try decoded(IPCObject.self, object) == object.object)
    }

    @Test("What a message shows is the kind of a value, not its content")
    func secrets() {
        #expect {
            try decoded(Int.self, "hunter2")
        } throws: {
            let text = "\($0)"
            return text.contains("a string") && !text.contains("hunter2")
        }
    }
}

extension Character {
    /// A type that encodes itself as a single value.
    enum Wrapped: String, Codable, ExpressibleByUnicodeScalarLiteral {
        case x

        init(unicodeScalarLiteral value: Unicode.Scalar) {
            self = .x
        }
    }
}
