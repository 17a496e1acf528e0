// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The members of an object that is being encoded.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode

    var codingPath: [any CodingKey] { node.codingPath }

    func encodeNil(forKey key: Key) {
        node.set(.null, at: key)
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try node.set(encoding: value, at: key)
    }

    // The standard library's own methods for these two would win against the generic one, and throw.
    func encode(_ value: Int128, forKey key: Key) throws {
        try node.set(encoding: value, at: key)
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        try node.set(encoding: value, at: key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        node.setPlace(at: key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        node.setPlace(at: key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        node.setPlace(at: NameKey.superclass)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        node.setPlace(at: key)
    }
}
