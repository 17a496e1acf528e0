// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The first bytes of a connection over the plain protocol (PROTOCOL 4.1).
public enum ConnectionOpening {
    /// What a client writes at once, without waiting: its context and Initialize, two frames in one buffer.
    ///
    /// - Parameter context: Who the client says it is.
    public static func client(context: IPCValue) -> [UInt8] {
        var output = Frame.regular(IPCMessage.context(context)).encoded()
        Frame.regular(IPCMessage.initialize).append(to: &output)
        return output
    }

    /// What a server writes when it has accepted the context: Initialize, one frame.
    public static var server: [UInt8] {
        Frame.regular(IPCMessage.initialize).encoded()
    }
}

/// What the opening side of a server makes of messages: the first is the context, all others are channel messages.
public struct ServerOpening: Sendable {
    /// What a message was.
    public enum Received: Sendable, Hashable {
        /// The context: create requester and responder, and write ``ConnectionOpening/server``.
        case context(IPCValue)
        /// A message for requester or responder; the client's Initialize is among them.
        case message(DecodedMessage)
    }

    private let decoder: ValueDecoder
    private var hasContext = false

    /// Creates the state of a connection that has just been accepted.
    ///
    /// - Parameter decoder: How messages are decoded.
    public init(decoder: ValueDecoder = ValueDecoder()) {
        self.decoder = decoder
    }

    /// Takes a message from the client.
    ///
    /// - Parameter message: The body of a Regular frame.
    /// - Returns: What it was.
    /// - Throws: `WireError`; close the connection then, or it stays open and deaf.
    public mutating func receive(_ message: Span<UInt8>) throws(WireError) -> Received {
        if hasContext {
            return .message(try IPCMessage.decode(message, mode: decoder.mode, limits: decoder.limits))
        }
        let context = try decoder.decode(message)
        hasContext = true
        return .context(context)
    }
}
