// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

// These types pass through `IPCValueEncoder` and `IPCValueDecoder` as they are. Other coders get what JSON would have.

extension IPCValue: Codable {
    /// Takes a value from ``IPCValueDecoder`` as it is, or reads one from another decoder as if it were JSON.
    ///
    /// - Parameter decoder: The decoder. Members of an object that does not come from ``IPCValueDecoder`` are sorted by
    ///   name, since other decoders tell no order.
    /// - Throws: What the decoder throws.
    public init(from decoder: any Decoder) throws {
        if let node = decoder as? DecodingNode {
            self = node.value
        } else if let container = try? decoder.container(keyedBy: NameKey.self) {
            self = .object(try Self.object(container))
        } else if let container = try? decoder.unkeyedContainer() {
            self = .array(try Self.elements(container))
        } else {
            self = try Self.single(decoder.singleValueContainer())
        }
    }

    private static func object(_ container: KeyedDecodingContainer<NameKey>) throws -> IPCObject {
        var members: [IPCObject.Member] = []
        for key in container.allKeys {
            let isNull = try container.decodeNil(forKey: key)
            let value = isNull ? .null : try container.decode(IPCValue.self, forKey: key)
            members.append(IPCObject.Member(key: IPCString(key.stringValue), value: value))
        }
        members.sort { $0.key.wtf8.lexicographicallyPrecedes($1.key.wtf8) }
        return IPCObject(members)
    }

    private static func elements(_ source: any UnkeyedDecodingContainer) throws -> [IPCValue] {
        var container = source
        var elements: [IPCValue] = []
        while !container.isAtEnd {
            elements.append(try container.decodeNil() ? .null : container.decode(IPCValue.self))
        }
        return elements
    }

    private static func single(_ container: any SingleValueDecodingContainer) throws -> IPCValue {
        if container.decodeNil() {
            return .null
        }
        if let bool = try? container.decode(Bool.self) {
            return .bool(bool)
        }
        if let double = try? container.decode(Double.self) {
            return IPCValue(double)
        }
        return IPCValue(try container.decode(String.self))
    }

    /// Gives the value to ``IPCValueEncoder`` as it is, or writes what would become of it in JSON (PROTOCOL 2.2, 2.3).
    ///
    /// - Parameter encoder: The encoder. To one that is not ``IPCValueEncoder`` `undefined` is nil, lone surrogates are
    ///   U+FFFD, and buffers are the objects `JSON.stringify` makes of them.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        if let node = encoder as? EncodingNode {
            return node.set(self)
        }
        switch self {
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            try container.encode(contentsOf: elements)
        case .object(let object):
            var container = encoder.container(keyedBy: NameKey.self)
            for member in object.members where member.value != .undefined {
                try container.encode(member.value, forKey: NameKey(stringValue: member.key.description))
            }
        case .buffer(let bytes):
            try BufferForms.object(ofBuffer: bytes).encode(to: encoder)
        case .vsBuffer(let bytes):
            try BufferForms.object(ofVSBuffer: bytes).encode(to: encoder)
        default:
            try encode(in: encoder.singleValueContainer())
        }
    }

    private func encode(in target: any SingleValueEncodingContainer) throws {
        var container = target
        switch self {
        case .bool(let bool): try container.encode(bool)
        case .int(let int): try container.encode(int)
        case .number(let double): try container.encode(double)
        case .string(let text): try container.encode(text.description)
        default: try container.encodeNil()
        }
    }
}

extension IPCString: Codable {
    /// Takes a string, with its lone surrogates if ``IPCValueDecoder`` has some.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` for what is no string.
    public init(from decoder: any Decoder) throws {
        let value = try IPCValue(from: decoder)
        guard case .string(let text) = value else {
            throw DecodingError.mismatch(IPCString.self, expected: "a string", found: value, decoder.codingPath)
        }
        self = text
    }

    /// Writes the string; only ``IPCValueEncoder`` takes lone surrogates, others get U+FFFD.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try IPCValue.string(self).encode(to: encoder)
    }
}

extension IPCObject: Codable {
    /// Takes an object, its members in their order if ``IPCValueDecoder`` has it.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` for what is no object.
    public init(from decoder: any Decoder) throws {
        let value = try IPCValue(from: decoder)
        guard case .object(let object) = value else {
            throw DecodingError.mismatch(IPCObject.self, expected: "an object", found: value, decoder.codingPath)
        }
        self = object
    }

    /// Writes the object, its members in their order if the encoder keeps it, as ``IPCValueEncoder`` does.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try IPCValue.object(self).encode(to: encoder)
    }
}
