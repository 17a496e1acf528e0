// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A recorded conversation between the real client and the real server.
public struct Conversation: Sendable, Decodable {
    /// Who wrote a frame.
    public enum Direction: String, Sendable, Decodable {
        /// The client.
        case clientToServer = "c2s"
        /// The server.
        case serverToClient = "s2c"
    }

    /// One frame.
    public struct FrameStep: Sendable {
        /// Who wrote it.
        public var direction: Direction
        /// Frames with the same number left in one write.
        public var write: Int
        /// The byte of its type.
        public var type: UInt8
        /// The sequence number.
        public var id: UInt32
        /// The acknowledgement.
        public var ack: UInt32
        /// The message.
        public var body: [UInt8]
        /// The header of the message; nil for a context and for what the real decoder could not read.
        public var header: IPCValue?
        /// The body of the message, or the context.
        public var value: IPCValue?

        /// The frame.
        public var frame: Frame {
            Frame(type: FrameType(rawValue: type), id: id, ack: ack, body: body)
        }
    }

    /// What happened.
    public enum Step: Sendable {
        /// Something the application did, in prose.
        case event(String)
        /// A frame was written.
        case frame(FrameStep)
    }

    /// The name of the conversation.
    public var name: String
    /// What it shows.
    public var description: String
    /// Everything that happened, in order.
    public var steps: [Step]

    /// The frames alone.
    public var frames: [FrameStep] {
        steps.compactMap { step in
            if case .frame(let frame) = step { frame } else { nil }
        }
    }

    /// The messages of one side, in order.
    public func messages(_ direction: Direction) -> [[UInt8]] {
        frames.filter { $0.direction == direction }.map(\.body)
    }
}

extension Conversation.Step: Decodable {
    private enum Key: String, CodingKey {
        case event, http, dir, write, type, id, ack, length, bodyHex, body, decoded
    }

    private struct Decoded: Decodable {
        var header: ValueDescription?
        var body: ValueDescription?
        var value: ValueDescription?
    }

    /// Reads a step; a body given only by its digest is built from its description and checked.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let prose = try container.decodeIfPresent(String.self, forKey: .event)
            ?? container.decodeIfPresent(String.self, forKey: .http)
        {
            self = .event(prose)
            return
        }
        let typeName = try container.decode(String.self, forKey: .type)
        let type = try FrameType(vectorName: typeName).rawValue
        let decoded = try container.decodeIfPresent(Decoded.self, forKey: .decoded)
        let body = try Self.body(container, decoded: decoded)
        guard body.count == (try container.decode(Int.self, forKey: .length)) else {
            throw Vectors.Malformed(description: "a body of \(body.count) bytes has another length in the vector")
        }
        self = .frame(
            Conversation.FrameStep(
                direction: try container.decode(Conversation.Direction.self, forKey: .dir),
                write: try container.decodeIfPresent(Int.self, forKey: .write) ?? 0,
                type: type,
                id: try container.decode(UInt32.self, forKey: .id),
                ack: try container.decode(UInt32.self, forKey: .ack),
                body: body,
                header: decoded?.header?.value,
                value: decoded?.body?.value ?? decoded?.value?.value
            )
        )
    }

    private static func body(_ container: KeyedDecodingContainer<Key>, decoded: Decoded?) throws -> [UInt8] {
        if let hex = try container.decodeIfPresent(String.self, forKey: .bodyHex) {
            return try [UInt8](hex: hex)
        }
        let expected = try container.decode(ExpectedBytes.self, forKey: .body)
        var body: [UInt8] = []
        for value in [decoded?.header?.value, decoded?.body?.value, decoded?.value?.value] {
            if let value {
                ValueEncoder.append(value, to: &body)
            }
        }
        guard expected.matches(body) else {
            throw Vectors.Malformed(description: "a big body could not be rebuilt: \(body.count) bytes")
        }
        return body
    }
}

extension FrameType {
    /// The type with the name that vectors have for it.
    init(vectorName name: String) throws {
        let types = [
            FrameType.none, .regular, .control, .ack, .disconnect, .replayRequest, .pause, .resume, .keepAlive,
        ]
        guard let type = types.first(where: { $0.description == name }) else {
            throw Vectors.Malformed(description: "unknown type of frame: \(name)")
        }
        self = type
    }
}
