// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// One value, and how to get to it, while something is made of it.
final class DecodingNode {
    let value: IPCValue
    let userInfo: [CodingUserInfoKey: Any]
    private let parent: DecodingNode?
    private let key: (any CodingKey)?

    init(value: IPCValue, parent: DecodingNode?, key: (any CodingKey)?, userInfo: [CodingUserInfoKey: Any]) {
        self.value = value
        self.parent = parent
        self.key = key
        self.userInfo = userInfo
    }

    /// A value in this one.
    func child(_ value: IPCValue, at key: any CodingKey) -> DecodingNode {
        DecodingNode(value: value, parent: self, key: key, userInfo: userInfo)
    }

    /// The way to a value in this one.
    func codingPath(to key: any CodingKey) -> [any CodingKey] {
        codingPath + [key]
    }

    /// Makes something of a value in this one.
    func decode<T: Decodable>(_ type: T.Type, from value: IPCValue, at key: @autoclosure () -> any CodingKey) throws
        -> T
    {
        if let plain = try PlainValue.decode(type, from: value, path: codingPath(to: key())) {
            return plain
        }
        return try T(from: child(value, at: key()))
    }
}

extension DecodingNode: Decoder {
    var codingPath: [any CodingKey] {
        var keys: [any CodingKey] = []
        var node = self
        while let key = node.key, let parent = node.parent {
            keys.append(key)
            node = parent
        }
        return keys.reversed()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else {
            throw DecodingError.mismatch([String: Any].self, expected: "an object", found: value, codingPath)
        }
        return KeyedDecodingContainer(KeyedDecoding(node: self, members: MemberTable(object)))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        UnkeyedDecoding(node: self, elements: try PlainValue.array(value, codingPath))
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        self
    }
}

extension DecodingNode: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        value.isNil
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if let plain = try PlainValue.decode(type, from: value, path: codingPath) {
            return plain
        }
        return try T(from: self)
    }

    // The standard library's own methods for these two would win against the generic one, and throw.
    func decode(_ type: Int128.Type) throws -> Int128 {
        try PlainValue.integer(type, value, codingPath)
    }

    func decode(_ type: UInt128.Type) throws -> UInt128 {
        try PlainValue.integer(type, value, codingPath)
    }
}
