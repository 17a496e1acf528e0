// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// `frames.json`: frames and streams of them.
public struct FrameVectors: Sendable, Decodable {
    /// A frame and its bytes.
    public struct Case: Sendable, Decodable {
        private var type: UInt8
        private var id: UInt32
        private var ack: UInt32
        private var bodyHex: String
        private var hex: String

        /// The frame.
        public func frame() throws -> Frame {
            Frame(type: FrameType(rawValue: type), id: id, ack: ack, body: try [UInt8](hex: bodyHex))
        }

        /// Its bytes.
        public func bytes() throws -> [UInt8] {
            try [UInt8](hex: hex)
        }
    }

    /// A frame that was read from a stream.
    public struct Message: Sendable, Decodable {
        /// The index of the chunk that completed it.
        public var afterChunk: Int
        private var type: UInt8
        private var id: UInt32
        private var ack: UInt32
        private var bodyHex: String

        /// The frame.
        public func frame() throws -> Frame {
            Frame(type: FrameType(rawValue: type), id: id, ack: ack, body: try [UInt8](hex: bodyHex))
        }
    }

    /// Bytes as they arrived, and the frames in them.
    public struct Stream: Sendable, Decodable {
        /// What is shown.
        public var name: String
        private var chunksHex: [String]
        /// The frames.
        public var messages: [Message]
        /// The bytes the real reader kept, without a header it had already understood.
        public var leftoverBytes: Int

        /// What arrived, piece by piece.
        public func chunks() throws -> [[UInt8]] {
            try chunksHex.map { try [UInt8](hex: $0) }
        }
    }

    /// Frames and their bytes.
    public var cases: [Case]
    /// Streams.
    public var streams: [Stream]
    /// What a persistent session makes of frames.
    public var receive: [PersistentReception]
}
