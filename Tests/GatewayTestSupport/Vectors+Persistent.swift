// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What a fresh persistent session of VS Code did with frames.
public struct PersistentReception: Sendable, Decodable {
    /// A frame whose body is plain text.
    public struct TextFrame: Sendable, Decodable {
        private enum Key: String, CodingKey {
            case type, id, ack, body
        }

        /// The frame.
        public var frame: Frame

        /// Reads a frame whose type is a name or a number.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            let type: FrameType
            if let name = try? container.decode(String.self, forKey: .type) {
                type = try FrameType(vectorName: name)
            } else {
                type = FrameType(rawValue: try container.decode(UInt8.self, forKey: .type))
            }
            frame = Frame(
                type: type,
                id: try container.decode(UInt32.self, forKey: .id),
                ack: try container.decode(UInt32.self, forKey: .ack),
                body: Array(try container.decode(String.self, forKey: .body).utf8)
            )
        }
    }

    /// What is shown.
    public var name: String
    /// The messages it sent at first.
    public var localSends: [String]
    /// What it wrote then.
    public var wroteBefore: [TextFrame]
    /// The frames it received.
    public var input: [TextFrame]
    /// The messages it handed on.
    public var delivered: [String]
    /// The Control messages it handed on.
    public var control: [String]
    /// How often it said that the session was over.
    public var disposeEvents: Int
    /// What it wrote after all that.
    public var wroteAfter: [TextFrame]
    /// How many messages it took to be unacknowledged.
    public var unacknowledged: Int
}

/// A recorded conversation between two persistent sessions, with times.
public struct PersistentConversation: Sendable, Decodable {
    /// A frame that was written.
    public struct Written: Sendable {
        /// Who wrote it.
        public var direction: Conversation.Direction
        /// The number of the connection.
        public var socket: Int
        /// The frame.
        public var frame: Frame
        /// Whether it was written to a connection that was dead.
        public var isLost: Bool
    }

    /// What happened.
    public enum Step: Sendable {
        /// Something the application did or saw, in prose.
        case event(String)
        /// A frame was written.
        case written(Written)
    }

    /// Something that happened.
    public struct Moment: Sendable, Decodable {
        private enum Key: String, CodingKey {
            case at, event, dir, socket, type, id, ack, bodyHex, lost
        }

        /// When, in milliseconds.
        public var time: UInt64
        /// What.
        public var step: Step

        /// Reads a step.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            time = try container.decode(UInt64.self, forKey: .at)
            if let prose = try container.decodeIfPresent(String.self, forKey: .event) {
                step = .event(prose)
                return
            }
            let frame = Frame(
                type: try FrameType(vectorName: container.decode(String.self, forKey: .type)),
                id: try container.decode(UInt32.self, forKey: .id),
                ack: try container.decode(UInt32.self, forKey: .ack),
                body: try [UInt8](hex: container.decode(String.self, forKey: .bodyHex))
            )
            step = .written(
                Written(
                    direction: try container.decode(Conversation.Direction.self, forKey: .dir),
                    socket: try container.decode(Int.self, forKey: .socket),
                    frame: frame,
                    isLost: try container.decodeIfPresent(Bool.self, forKey: .lost) ?? false
                )
            )
        }
    }

    /// The name of the conversation.
    public var name: String
    /// Everything that happened, in order.
    public var steps: [Moment]
}
