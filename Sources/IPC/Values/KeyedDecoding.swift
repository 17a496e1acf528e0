// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The members of an object that is being decoded.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: DecodingNode
    let members: MemberTable

    var codingPath: [any CodingKey] { node.codingPath }

    /// The keys of all members that are not `undefined`.
    ///
    /// A name with a lone surrogate is no key. It is here with U+FFFD instead, under which nothing is found: a dictionary
    /// had better fail than miss a member.
    var allKeys: [Key] {
        members.members.compactMap { member in
            if case .undefined = member.value { nil } else { Key(stringValue: member.key.description) }
        }
    }

    func contains(_ key: Key) -> Bool {
        members[key.stringValue] != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try member(key).isNil
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard let value = members[key.stringValue] else {
            if T.self is any AbsenceDecodable.Type {
                return try node.decode(type, from: .undefined, at: key)
            }
            throw notFound(key)
        }
        return try node.decode(type, from: value, at: key)
    }

    // The standard library's own methods for these two would win against the generic one, and throw.
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 {
        try PlainValue.integer(type, member(key), node.codingPath(to: key))
    }

    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 {
        try PlainValue.integer(type, member(key), node.codingPath(to: key))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try superDecoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try superDecoder(forKey: key).unkeyedContainer()
    }

    func superDecoder() -> any Decoder {
        node.child(members[NameKey.superclass.stringValue] ?? .undefined, at: NameKey.superclass)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        node.child(try member(key), at: key)
    }

    private func member(_ key: Key) throws -> IPCValue {
        guard let value = members[key.stringValue] else {
            throw notFound(key)
        }
        return value
    }

    private func notFound(_ key: Key) -> DecodingError {
        DecodingError.keyNotFound(
            key,
            DecodingError.Context(
                codingPath: codingPath,
                debugDescription: "The object has no member \(key.stringValue.debugDescription)."
            )
        )
    }
}

/// A type that makes something of a member that is not there.
private protocol AbsenceDecodable {}

extension Optional: AbsenceDecodable {}
extension IPCValue: AbsenceDecodable {}
