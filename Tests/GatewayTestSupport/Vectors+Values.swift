// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// `values.json`: values and their bytes.
public struct ValueVectors: Sendable, Decodable {
    /// A value and what VS Code makes of it.
    public struct EncodeCase: Sendable, Decodable {
        /// What is shown.
        public var name: String
        private var description: ValueDescription?
        /// JavaScript text, where the input has no description.
        public var source: String?
        /// The bytes.
        public var expected: ExpectedBytes
        private var decodedDescription: ValueDescription

        /// The value; nil where only ``source`` tells.
        public var value: IPCValue? { description?.value }
        /// What decoding the bytes yields.
        public var decoded: IPCValue? { decodedDescription.value }

        private enum Key: String, CodingKey {
            case name, value, source, decoded
        }

        /// Reads a case.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            name = try container.decode(String.self, forKey: .name)
            description = try container.decodeIfPresent(ValueDescription.self, forKey: .value)
            source = try container.decodeIfPresent(String.self, forKey: .source)
            decodedDescription = try container.decode(ValueDescription.self, forKey: .decoded)
            expected = try ExpectedBytes(from: decoder)
        }
    }

    /// An input the real encoder refuses.
    public struct EncodeError: Sendable, Decodable {
        /// What is shown.
        public var name: String
        /// The name of the exception.
        public var error: String
    }

    /// Bytes no encoder writes, and what the real decoder makes of them.
    public struct DecodeCase: Sendable, Decodable {
        /// What is shown.
        public var name: String
        /// The bytes in hexadecimal; nil where the vector only says how to make them.
        public var hex: String?
        /// `value`, `throws` or `process crash`.
        public var result: String
        private var value: ValueDescription?
        /// How many bytes were read.
        public var consumed: Int?

        /// The value, where one was recorded.
        public var decoded: IPCValue? { value?.value }
    }

    /// Values and their bytes.
    public var encode: [EncodeCase]
    /// Inputs without bytes.
    public var encodeErrors: [EncodeError]
    /// Bytes only a decoder knows.
    public var decode: [DecodeCase]
    /// Broken bytes.
    public var malformed: [DecodeCase]
}

/// A value as the vectors describe it.
struct ValueDescription: Sendable, Decodable {
    /// The value; nil for a note in prose.
    var value: IPCValue?

    private enum Key: String, CodingKey {
        case kind = "t"
        case content = "v"
        case utf16, hex, pattern
    }

    private struct Pattern: Decodable {
        var size: Int
        var seed: Int?
    }

    private struct Member: Decodable {
        var key: IPCString
        var value: IPCValue

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            key = IPCString(try container.decode(String.self))
            value = try container.decode(ValueDescription.self).value ?? .undefined
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let kind = try container.decode(String.self, forKey: .kind)
        switch kind {
        case "undefined": value = .undefined
        case "null": value = .null
        case "bool": value = .bool(try container.decode(Bool.self, forKey: .content))
        case "number":
            let text = try container.decode(String.self, forKey: .content)
            guard let double = Double(text) else {
                throw Vectors.Malformed(description: "not a number: \(text)")
            }
            value = IPCValue(double)
        case "string": value = .string(try Self.text(container))
        case "buffer": value = .buffer(try Self.bytes(container))
        case "vsbuffer": value = .vsBuffer(try Self.bytes(container))
        case "array":
            value = .array(
                try container.decode([ValueDescription].self, forKey: .content).map { $0.value ?? .undefined }
            )
        case "object":
            let members = try container.decode([Member].self, forKey: .content)
            value = .object(IPCObject(members.map { IPCObject.Member(key: $0.key, value: $0.value) }))
        case "note": value = nil
        default: throw Vectors.Malformed(description: "unknown kind of value: \(kind)")
        }
    }

    private static func text(_ container: KeyedDecodingContainer<Key>) throws -> IPCString {
        if let units = try container.decodeIfPresent([UInt16].self, forKey: .utf16) {
            return IPCString(utf16: units)
        }
        if let pattern = try container.decodeIfPresent(Pattern.self, forKey: .pattern) {
            return IPCString(utf16: (0..<pattern.size).map { 0x61 + UInt16($0 % 26) })
        }
        return IPCString(try container.decode(String.self, forKey: .content))
    }

    private static func bytes(_ container: KeyedDecodingContainer<Key>) throws -> [UInt8] {
        if let pattern = try container.decodeIfPresent(Pattern.self, forKey: .pattern) {
            return (0..<pattern.size).map { UInt8(truncatingIfNeeded: $0 * 31 + (pattern.seed ?? 0)) }
        }
        return try [UInt8](hex: container.decode(String.self, forKey: .hex))
    }
}
