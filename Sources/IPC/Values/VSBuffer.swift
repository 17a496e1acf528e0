// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The bytes of a `VSBuffer`, the buffer VS Code itself works with (PROTOCOL 2.2).
///
/// IPCValueEncoder makes `IPCValue.vsBuffer` of it at the top level and in arrays that are in no object. Elsewhere it
/// refuses it: in an object the protocol has only JSON, and the peer would find a plain object. Other encoders get that object.
/// It is decoded from either kind of buffer, and from what becomes of either in an object.
public struct VSBuffer: Sendable, Hashable {
    /// The bytes.
    public var bytes: [UInt8]

    /// Creates a buffer.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

extension VSBuffer: ExpressibleByArrayLiteral {
    /// Creates a buffer.
    public init(arrayLiteral elements: UInt8...) {
        bytes = elements
    }
}

extension VSBuffer: Codable {
    /// Reads a buffer of either kind.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` for what is neither a buffer nor an object one became.
    public init(from decoder: any Decoder) throws {
        bytes = try BufferForms.decode(VSBuffer.self, from: decoder)
    }

    /// Writes the buffer.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: `EncodingError.invalidValue` in an object; and what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        try BufferForms.encode(.vsBuffer(bytes), to: encoder)
    }
}
