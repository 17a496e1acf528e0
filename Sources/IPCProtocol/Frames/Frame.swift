// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// One frame: a header and its body (PROTOCOL 1).
public struct Frame: Sendable, Hashable {
    /// The type of the frame.
    public var type: FrameType
    /// The sequence number.
    public var id: UInt32
    /// The acknowledgement.
    public var ack: UInt32
    /// The body.
    public var body: [UInt8]

    /// Creates a frame.
    ///
    /// - Parameters:
    ///   - type: The type of the frame.
    ///   - id: The sequence number, 0 in the plain protocol.
    ///   - ack: The acknowledgement, 0 in the plain protocol.
    ///   - body: The body.
    public init(type: FrameType, id: UInt32 = 0, ack: UInt32 = 0, body: [UInt8] = []) {
        self.type = type
        self.id = id
        self.ack = ack
        self.body = body
    }

    /// A message as the plain protocol frames it.
    ///
    /// - Parameter body: The message.
    public static func regular(_ body: [UInt8]) -> Frame {
        Frame(type: .regular, body: body)
    }

    /// The header.
    ///
    /// - Precondition: The body is shorter than 4 GiB.
    public var header: FrameHeader {
        FrameHeader(type: type, id: id, ack: ack, length: UInt32(body.count))
    }

    /// The bytes of the frame.
    ///
    /// - Returns: 13 bytes and the body.
    /// - Precondition: The body is shorter than 4 GiB.
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// Writes the frame.
    ///
    /// - Parameter output: What its bytes are appended to.
    /// - Precondition: The body is shorter than 4 GiB.
    public func append(to output: inout [UInt8]) {
        output.reserveCapacity(output.count + FrameHeader.byteCount + body.count)
        header.append(to: &output)
        output.append(contentsOf: body)
    }
}
