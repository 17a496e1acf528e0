// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Turns Swift values into ``IPCProtocol/IPCValue``s, making the distinctions VS Code's IPC makes (PROTOCOL 2.2).
///
/// - Integers become `int` where they are of 32 bits, else `number`. One beyond ±2⁵³, which a JavaScript number does not hold
///   exactly, is refused.
/// - Numbers that are not finite are refused; VS Code would send `null` without a word.
/// - `nil` becomes `undefined` at the top level and in arrays that are in no object. In an object, where only JSON can be,
///   it becomes `null`, and a property that is nil is left out (`encodeIfPresent`, which synthesized code calls).
/// - Arrays become arrays; structures, classes and enumerations become objects, their members in the order they are
///   encoded; so do dictionaries with keys of type `String`, `Int` or `CodingKeyRepresentable`, sorted by the keys' UTF-8
///   so that equal dictionaries give equal bytes. Array indexes come first among the members, as always in JavaScript.
///   A `Set` has no such order.
/// - ``IPCProtocol/IPCValue``, ``IPCProtocol/IPCString`` and ``IPCProtocol/IPCObject`` pass as they are wherever they
///   occur. What the protocol would change in them is up to whoever made them.
/// - ``IPCBuffer`` and ``VSBuffer`` become buffers at the top level and in arrays that are in no object; elsewhere they are
///   refused, since the protocol cannot carry them there. `[UInt8]` is an array of numbers.
///
/// Any thread may use an encoder, several at the same time.
public struct IPCValueEncoder: Sendable {
    /// What `encode(to:)` of the values finds in `Encoder.userInfo`.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Creates an encoder.
    ///
    /// - Parameter userInfo: What `encode(to:)` of the values finds in `Encoder.userInfo`.
    public init(userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.userInfo = userInfo
    }

    /// Encodes a value.
    ///
    /// - Parameter value: The value. A graph of objects that leads back to itself never ends.
    /// - Returns: The value as the protocol has it. One that encodes nothing becomes an object without members.
    /// - Throws: `EncodingError.invalidValue` for what the protocol cannot carry, with the path to it; and whatever
    ///   `encode(to:)` of the value throws.
    public func encode<T: Encodable>(_ value: T) throws -> IPCValue {
        if let plain = try PlainValue.encode(value, path: []) {
            return plain
        }
        let node = EncodingNode(parentPath: nil, key: nil, isInObject: false, userInfo: userInfo)
        try value.encode(to: node)
        return try node.finish()
    }
}
