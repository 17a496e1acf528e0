// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A value as it travels in headers and bodies (PROTOCOL 2).
///
/// Equality is about what the values are, not about their bytes: an ``int(_:)`` never equals a ``number(_:)``, members of
/// objects are compared in their order, and a NaN equals nothing.
public enum IPCValue: Sendable, Hashable {
    /// JavaScript's `undefined`; also a hole in an array, and the body of a message that has nothing to say.
    case undefined
    /// JavaScript's `null`.
    case null
    /// A boolean.
    case bool(Bool)
    /// A number that is a 32-bit integer.
    case int(Int32)
    /// Any other number. What decoders deliver as such is never a 32-bit integer, except −0.
    case number(Double)
    /// Text.
    case string(IPCString)
    /// The bytes of a Node `Buffer`.
    case buffer([UInt8])
    /// The bytes of VS Code's own `VSBuffer`.
    case vsBuffer([UInt8])
    /// An array. Buffers and `undefined` in it survive only where no object is around it.
    case array([IPCValue])
    /// A plain object.
    case object(IPCObject)
}

extension IPCValue {
    /// Creates a number: an ``int(_:)`` where it is a 32-bit integer other than −0, else a ``number(_:)``.
    public init(_ double: Double) {
        if let int = Int32(whole: double), int != 0 || double.sign == .plus {
            self = .int(int)
        } else {
            self = .number(double)
        }
    }

    /// Creates a number, exact up to 2⁵³.
    public init(_ integer: Int) {
        if let int = Int32(exactly: integer) {
            self = .int(int)
        } else {
            self = .number(Double(integer))
        }
    }

    /// Creates text.
    public init(_ string: String) {
        self = .string(IPCString(string))
    }

    /// The text of a string, nil for other values and for text with lone surrogates.
    public var string: String? {
        if case .string(let text) = self { text.string } else { nil }
    }

    /// The number, nil for other values.
    public var double: Double? {
        switch self {
        case .int(let int): Double(int)
        case .number(let double): double
        default: nil
        }
    }

    /// The elements of an array, nil for other values.
    public var array: [IPCValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members of an object, nil for other values.
    public var object: IPCObject? {
        if case .object(let object) = self { object } else { nil }
    }

    /// The member of an object, nil for other values and where there is no such member.
    public subscript(key: IPCString) -> IPCValue? {
        object?[key]
    }
}

extension IPCValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// Creates a number.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// Creates a number.
    public init(floatLiteral value: Double) {
        self.init(value)
    }

    /// Creates text.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// Creates an array.
    public init(arrayLiteral elements: IPCValue...) {
        self = .array(elements)
    }

    /// Creates an object; of equal keys the last wins.
    public init(dictionaryLiteral elements: (IPCString, IPCValue)...) {
        self = .object(IPCObject(elements.map { IPCObject.Member(key: $0.0, value: $0.1) }))
    }
}
