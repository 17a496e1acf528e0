// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The elements of an array that is being encoded.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
    let node: EncodingNode

    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int { node.count }

    func encodeNil() {
        node.append(node.isInObject ? .null : .undefined)
    }

    func encode<T: Encodable>(_ value: T) throws {
        try node.append(encoding: value)
    }

    // The standard library's own methods for these two would win against the generic one, and throw.
    func encode(_ value: Int128) throws {
        try node.append(encoding: value)
    }

    func encode(_ value: UInt128) throws {
        try node.append(encoding: value)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        node.appendPlace().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        node.appendPlace().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        node.appendPlace()
    }
}
