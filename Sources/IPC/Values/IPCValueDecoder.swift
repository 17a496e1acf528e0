// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Makes Swift values of ``IPCProtocol/IPCValue``s, the counterpart of ``IPCValueEncoder``.
///
/// - An integer is made of any number that has exactly its value, but not of one beyond ±2⁵³: what that number was before
///   it became a JavaScript number nobody knows.
/// - `Double` and `Float` are made of any number, `Float` rounding; `Bool` of booleans only, `String` of strings only.
///   A string that holds a lone surrogate is no `String`; decode an ``IPCProtocol/IPCString``.
/// - `undefined`, `null` and a member that is not there are nil to an `Optional`. To an ``IPCProtocol/IPCValue`` that is not
///   optional a member that is not there is `undefined`.
/// - ``IPCBuffer`` and ``VSBuffer`` are made of either kind of buffer, and of what becomes of one in an object.
/// - Members nobody asks for are ignored.
///
/// Names of members are compared byte by byte. A `Dictionary` compares its keys as `String` does, so of two names that are
/// canonically equivalent ("é" and "e\u{301}") it keeps one; decode an ``IPCProtocol/IPCObject`` where that matters.
///
/// Any thread may use a decoder, several at the same time.
public struct IPCValueDecoder: Sendable {
    /// What `init(from:)` of the types finds in `Decoder.userInfo`.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Creates a decoder.
    ///
    /// - Parameter userInfo: What `init(from:)` of the types finds in `Decoder.userInfo`.
    public init(userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.userInfo = userInfo
    }

    /// Decodes a value.
    ///
    /// - Parameters:
    ///   - type: What to make of it.
    ///   - value: The value, as it came from the peer.
    /// - Returns: A value of that type.
    /// - Throws: `DecodingError`, with the path to what does not fit; and whatever `init(from:)` of the type throws.
    public func decode<T: Decodable>(_ type: T.Type, from value: IPCValue) throws -> T {
        try DecodingNode(value: value, parent: nil, key: nil, userInfo: userInfo).decode(type)
    }
}
