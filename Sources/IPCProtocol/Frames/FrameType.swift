// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The first byte of a frame (PROTOCOL 1). Unknown types are legal: their frames are read, and dropped.
public struct FrameType: RawRepresentable, Sendable, Hashable {
    /// The byte.
    public var rawValue: UInt8

    /// Creates a type from its byte.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Nothing; never sent.
    public static let none = FrameType(rawValue: 0)
    /// One message.
    public static let regular = FrameType(rawValue: 1)
    /// JSON of the remote handshake.
    public static let control = FrameType(rawValue: 2)
    /// An acknowledgement alone.
    public static let ack = FrameType(rawValue: 3)
    /// The sender ends the session.
    public static let disconnect = FrameType(rawValue: 5)
    /// The sender missed something and asks for what it has not acknowledged.
    public static let replayRequest = FrameType(rawValue: 6)
    /// The receiver shall stop writing.
    public static let pause = FrameType(rawValue: 7)
    /// The receiver may write again.
    public static let resume = FrameType(rawValue: 8)
    /// The sender is alive.
    public static let keepAlive = FrameType(rawValue: 9)
}

extension FrameType: CustomStringConvertible {
    /// The name, or the number of an unknown type.
    public var description: String {
        switch self {
        case .none: "None"
        case .regular: "Regular"
        case .control: "Control"
        case .ack: "Ack"
        case .disconnect: "Disconnect"
        case .replayRequest: "ReplayRequest"
        case .pause: "Pause"
        case .resume: "Resume"
        case .keepAlive: "KeepAlive"
        default: "type \(rawValue)"
        }
    }
}
