// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The elements of an array that is being decoded.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
    let node: DecodingNode
    let elements: [IPCValue]
    private(set) var currentIndex = 0

    init(node: DecodingNode, elements: [IPCValue]) {
        self.node = node
        self.elements = elements
    }

    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    mutating func decodeNil() throws -> Bool {
        guard try current(Any?.self).isNil else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let decoded = try node.decode(type, from: current(type), at: IndexKey(currentIndex))
        // Only now: an element that failed may be tried as something else.
        currentIndex += 1
        return decoded
    }

    // The standard library's own methods for these two would win against the generic one, and throw.
    mutating func decode(_ type: Int128.Type) throws -> Int128 {
        let decoded = try PlainValue.integer(type, current(type), node.codingPath(to: IndexKey(currentIndex)))
        currentIndex += 1
        return decoded
    }

    mutating func decode(_ type: UInt128.Type) throws -> UInt128 {
        let decoded = try PlainValue.integer(type, current(type), node.codingPath(to: IndexKey(currentIndex)))
        currentIndex += 1
        return decoded
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try child().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try child().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try child()
        currentIndex += 1
        return decoder
    }

    private func child() throws -> DecodingNode {
        node.child(try current((any Decoder).self), at: IndexKey(currentIndex))
    }

    private func current(_ type: any Any.Type) throws -> IPCValue {
        guard currentIndex < elements.count else {
            throw DecodingError.valueNotFound(
                type,
                DecodingError.Context(
                    codingPath: node.codingPath(to: IndexKey(currentIndex)),
                    debugDescription: "The array has only \(elements.count) elements."
                )
            )
        }
        return elements[currentIndex]
    }
}
