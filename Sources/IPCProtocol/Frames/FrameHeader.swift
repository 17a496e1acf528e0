// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What precedes the body of a frame: 13 bytes, all integers big-endian (PROTOCOL 1).
public struct FrameHeader: Sendable, Hashable {
    /// The size of a header, in bytes.
    public static let byteCount = 13

    /// The type of the frame.
    public var type: FrameType
    /// The sequence number: 1, 2, 3… on Regular frames of the persistent protocol, otherwise 0.
    public var id: UInt32
    /// The highest sequence number received from the other side; 0 is none.
    public var ack: UInt32
    /// The size of the body, in bytes.
    public var length: UInt32

    /// The size of the body, in bytes.
    public var bodyLength: Int { Int(length) }

    /// Creates a header.
    ///
    /// - Parameters:
    ///   - type: The type of the frame.
    ///   - id: The sequence number.
    ///   - ack: The acknowledgement.
    ///   - length: The size of the body, in bytes.
    public init(type: FrameType, id: UInt32 = 0, ack: UInt32 = 0, length: UInt32) {
        self.type = type
        self.id = id
        self.ack = ack
        self.length = length
    }

    /// Reads a header from the first 13 bytes; nil when there are fewer.
    ///
    /// Every 13 bytes are a header. Whether it is acceptable is another question: check its length at least.
    public init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.byteCount else {
            return nil
        }
        type = FrameType(rawValue: bytes[0])
        id = Self.readInteger(bytes, at: 1)
        ack = Self.readInteger(bytes, at: 5)
        length = Self.readInteger(bytes, at: 9)
    }

    /// Writes the header.
    ///
    /// - Parameter output: What the 13 bytes are appended to.
    public func append(to output: inout [UInt8]) {
        output.append(type.rawValue)
        Self.appendInteger(id, to: &output)
        Self.appendInteger(ack, to: &output)
        Self.appendInteger(length, to: &output)
    }

    /// Checks that the body is not above the limit.
    ///
    /// - Parameter limits: The bounds to keep.
    /// - Throws: ``WireError`` with `frameTooLarge`.
    public func validateLength(limits: IPCLimits) throws(WireError) {
        guard bodyLength <= limits.frameBytes else {
            throw WireError(.frameTooLarge, at: 9, found: bodyLength, allowed: limits.frameBytes)
        }
    }

    /// Checks that this is a frame as the plain protocol writes it (PROTOCOL 7): Regular, without id and ack, within limits.
    ///
    /// VS Code's plain reader drops frames of other types and does not look at id and ack; it never sends any of that.
    ///
    /// - Parameter limits: The bounds to keep.
    /// - Throws: ``WireError`` with `unexpectedFrameType`, `unexpectedSequence` or `frameTooLarge`.
    public func validatePlain(limits: IPCLimits) throws(WireError) {
        guard type == .regular else {
            throw WireError(.unexpectedFrameType, at: 0, found: Int(type.rawValue))
        }
        guard id == 0 else {
            throw WireError(.unexpectedSequence, at: 1, found: Int(id))
        }
        guard ack == 0 else {
            throw WireError(.unexpectedSequence, at: 5, found: Int(ack))
        }
        try validateLength(limits: limits)
    }

    // Where it is called all bytes are known to be there: inlined it is one load.
    @inline(__always)
    private static func readInteger(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        UInt32(bytes[offset]) << 24 | UInt32(bytes[offset + 1]) << 16 | UInt32(bytes[offset + 2]) << 8
            | UInt32(bytes[offset + 3])
    }

    private static func appendInteger(_ integer: UInt32, to output: inout [UInt8]) {
        output.append(UInt8(truncatingIfNeeded: integer >> 24))
        output.append(UInt8(truncatingIfNeeded: integer >> 16))
        output.append(UInt8(truncatingIfNeeded: integer >> 8))
        output.append(UInt8(truncatingIfNeeded: integer))
    }
}
