// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What is known of a message that passes, for logs (VS Code's `IIPCLogger`).
public struct MessageTrace: Sendable, Hashable {
    /// Which way a message goes.
    public enum Direction: String, Sendable, Hashable {
        /// It came from the peer.
        case incoming = "in"
        /// It goes to the peer.
        case outgoing = "out"
    }

    /// Which way the message goes.
    public var direction: Direction
    /// What kind of message it is; nil for a context, and for what cannot be read.
    public var kind: MessageKind?
    /// The number that ties answers to requests; nil where there is none.
    public var id: UInt64?
    /// The channel of a request.
    public var channel: IPCString?
    /// The command or event of a request.
    public var name: IPCString?
    /// The size of the message, without its frame's header.
    public var byteCount: Int

    /// Reads the header of a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - direction: Which way it goes.
    ///   - limits: The bounds to keep.
    public init(_ message: [UInt8], _ direction: Direction, limits: IPCLimits = IPCLimits()) {
        self.direction = direction
        byteCount = message.count
        guard let inspected = try? InspectedMessage(message.span, limits: limits) else { return }
        kind = inspected.messageKind
        id = inspected.id
        switch inspected.kind {
        case .call(_, let channel, let name), .listen(_, let channel, let name):
            self.channel = IPCString(repairing: message.span, in: channel)
            self.name = IPCString(repairing: message.span, in: name)
        default:
            break
        }
    }
}

extension MessageTrace: CustomStringConvertible {
    /// One line, such as `in  call #3 storage.get, 27 bytes`.
    public var description: String {
        var text = direction == .incoming ? "in  " : "out "
        text += kind.map { "\($0)" } ?? "context"
        if let id { text += " #\(id)" }
        if let channel, let name { text += " \(channel).\(name)" }
        return text + ", \(byteCount) bytes"
    }
}
