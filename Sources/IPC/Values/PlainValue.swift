// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The values that need no container.
///
/// A container's generic methods are also what arrays call for their elements, so the types are told apart by comparing
/// pointers, which the optimizer does ahead of time where it knows the type.
enum PlainValue {
    /// The largest magnitude up to which every integer is a JavaScript number of its own: 2⁵³.
    static let largestInteger: Int64 = 1 << 53

    /// Returns what becomes of a value, nil when it encodes itself.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - path: Where it is.
    static func encode<T: Encodable>(
        _ value: T,
        path: @autoclosure () -> [any CodingKey]
    ) throws -> IPCValue? {
        if T.self == IPCValue.self, let value = value as? IPCValue { return value }
        if T.self == String.self, let value = value as? String { return IPCValue(value) }
        if T.self == Int.self, let value = value as? Int { return try encode(integer: value, path()) }
        if T.self == Bool.self, let value = value as? Bool { return .bool(value) }
        if T.self == Double.self, let value = value as? Double { return try encode(double: value, path()) }
        if T.self == [IPCValue].self, let value = value as? [IPCValue] { return .array(value) }
        if T.self == Float.self, let value = value as? Float { return try encode(double: Double(value), path()) }
        if T.self == Int8.self, let value = value as? Int8 { return .int(Int32(value)) }
        if T.self == Int16.self, let value = value as? Int16 { return .int(Int32(value)) }
        if T.self == Int32.self, let value = value as? Int32 { return .int(value) }
        if T.self == Int64.self, let value = value as? Int64 { return try encode(integer: value, path()) }
        if T.self == Int128.self, let value = value as? Int128 { return try encode(integer: value, path()) }
        if T.self == UInt.self, let value = value as? UInt { return try encode(integer: value, path()) }
        if T.self == UInt8.self, let value = value as? UInt8 { return .int(Int32(value)) }
        if T.self == UInt16.self, let value = value as? UInt16 { return .int(Int32(value)) }
        if T.self == UInt32.self, let value = value as? UInt32 { return try encode(integer: value, path()) }
        if T.self == UInt64.self, let value = value as? UInt64 { return try encode(integer: value, path()) }
        if T.self == UInt128.self, let value = value as? UInt128 { return try encode(integer: value, path()) }
        return nil
    }

    /// Returns the number an integer is.
    static func encode<I: FixedWidthInteger>(
        integer: I,
        _ path: @autoclosure () -> [any CodingKey]
    ) throws -> IPCValue {
        if let int = Int32(exactly: integer) {
            return .int(int)
        }
        guard let int = Int64(exactly: integer), int.magnitude <= largestInteger.magnitude else {
            throw EncodingError.invalidValue(
                integer,
                EncodingError.Context(
                    codingPath: path(),
                    debugDescription: "\(integer) is beyond ±2⁵³, where JavaScript's numbers are no longer exact; "
                        + "send it as a string."
                )
            )
        }
        return .number(Double(int))
    }

    private static func encode(double: Double, _ path: @autoclosure () -> [any CodingKey]) throws -> IPCValue {
        guard double.isFinite else {
            throw EncodingError.invalidValue(
                double,
                EncodingError.Context(
                    codingPath: path(),
                    debugDescription: "\(double) is not finite, and the protocol would make null of it."
                )
            )
        }
        return IPCValue(double)
    }

    /// Returns what a value is as one of the types that need no container, nil for other types.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - value: The value.
    ///   - path: Where it is.
    static func decode<T: Decodable>(
        _ type: T.Type,
        from value: IPCValue,
        path: @autoclosure () -> [any CodingKey]
    ) throws -> T? {
        if T.self == IPCValue.self { return value as? T }
        if T.self == String.self { return try string(value, path()) as? T }
        if T.self == Int.self { return try integer(Int.self, value, path()) as? T }
        if T.self == Bool.self { return try bool(value, path()) as? T }
        if T.self == Double.self { return try double(value, path()) as? T }
        if T.self == [IPCValue].self { return try array(value, path()) as? T }
        if T.self == Float.self { return try float(value, path()) as? T }
        if T.self == Int8.self { return try integer(Int8.self, value, path()) as? T }
        if T.self == Int16.self { return try integer(Int16.self, value, path()) as? T }
        if T.self == Int32.self { return try integer(Int32.self, value, path()) as? T }
        if T.self == Int64.self { return try integer(Int64.self, value, path()) as? T }
        if T.self == Int128.self { return try integer(Int128.self, value, path()) as? T }
        if T.self == UInt.self { return try integer(UInt.self, value, path()) as? T }
        if T.self == UInt8.self { return try integer(UInt8.self, value, path()) as? T }
        if T.self == UInt16.self { return try integer(UInt16.self, value, path()) as? T }
        if T.self == UInt32.self { return try integer(UInt32.self, value, path()) as? T }
        if T.self == UInt64.self { return try integer(UInt64.self, value, path()) as? T }
        if T.self == UInt128.self { return try integer(UInt128.self, value, path()) as? T }
        return nil
    }

    private static func string(_ value: IPCValue, _ path: @autoclosure () -> [any CodingKey]) throws -> String {
        guard case .string(let text) = value else {
            throw DecodingError.mismatch(String.self, expected: "a string", found: value, path())
        }
        guard let string = text.string else {
            throw DecodingError.corrupted(
                path(),
                "The string holds a surrogate without a partner, which a String cannot; decode an IPCString."
            )
        }
        return string
    }

    private static func bool(_ value: IPCValue, _ path: @autoclosure () -> [any CodingKey]) throws -> Bool {
        guard case .bool(let bool) = value else {
            throw DecodingError.mismatch(Bool.self, expected: "a boolean", found: value, path())
        }
        return bool
    }

    private static func double(_ value: IPCValue, _ path: @autoclosure () -> [any CodingKey]) throws -> Double {
        guard let double = value.double else {
            throw DecodingError.mismatch(Double.self, expected: "a number", found: value, path())
        }
        return double
    }

    private static func float(_ value: IPCValue, _ path: @autoclosure () -> [any CodingKey]) throws -> Float {
        let double = try double(value, path())
        let float = Float(double)
        guard float.isFinite || !double.isFinite else {
            throw DecodingError.corrupted(path(), "\(double) is too big for a Float.")
        }
        return float
    }

    /// Returns the elements of an array.
    static func array(_ value: IPCValue, _ path: @autoclosure () -> [any CodingKey]) throws -> [IPCValue] {
        guard case .array(let elements) = value else {
            throw DecodingError.mismatch([Any].self, expected: "an array", found: value, path())
        }
        return elements
    }

    /// Returns the integer a number is.
    static func integer<I: FixedWidthInteger>(
        _ type: I.Type,
        _ value: IPCValue,
        _ path: @autoclosure () -> [any CodingKey]
    ) throws -> I {
        let whole: Int64?
        switch value {
        case .int(let int): whole = Int64(int)
        case .number(let double): whole = Int64(exactNumber: double)
        default: throw DecodingError.mismatch(type, expected: "a number", found: value, path())
        }
        guard let whole else {
            throw DecodingError.corrupted(path(), "\(value.double ?? .nan) is no integer between −2⁵³ and 2⁵³.")
        }
        guard let integer = I(exactly: whole) else {
            throw DecodingError.corrupted(path(), "\(whole) does not fit in \(type).")
        }
        return integer
    }
}

extension Int64 {
    /// Creates the integer a JavaScript number is; nil when it is none, or is beyond ±2⁵³.
    init?(exactNumber double: Double) {
        // Not `init(exactly:)`, which needs `trunc` of a libm nobody else here links.
        let largest = Double(PlainValue.largestInteger)
        guard double >= -largest, double <= largest else { return nil }
        self.init(double)
        if Double(self) != double {
            return nil
        }
    }
}
