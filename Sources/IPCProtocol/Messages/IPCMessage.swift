// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Builds messages as VS Code does: a header and a body, back to back (PROTOCOL 3).
///
/// Ids are at most 2⁵³−1. Nothing here adds a frame around the message, see ``Frame/regular(_:)``.
public enum IPCMessage {
    /// A decoded message, see ``decode(_:mode:limits:)``.
    public typealias Decoded = DecodedMessage

    /// Encodes the first message of a client: one value that says who it is.
    ///
    /// - Parameter value: The context, for VS Code a string or an object with a `clientId`.
    public static func context(_ value: IPCValue) -> [UInt8] {
        ValueEncoder.encode(value)
    }

    /// "I am ready for requests": `04 01 06 c8 01 00`.
    public static var initialize: [UInt8] {
        message(.initialize, id: nil, names: [], body: .undefined)
    }

    /// Encodes a call.
    ///
    /// - Parameters:
    ///   - id: The id that the answer will carry.
    ///   - channel: The name of the channel.
    ///   - command: The name of the command.
    ///   - argument: The argument.
    public static func call(
        id: UInt64,
        channel: IPCString,
        command: IPCString,
        argument: IPCValue = .undefined
    ) -> [UInt8] {
        message(.call, id: id, names: [channel, command], body: argument)
    }

    /// Encodes the cancellation of a call.
    ///
    /// - Parameter id: The id of the call.
    public static func cancel(id: UInt64) -> [UInt8] {
        message(.cancel, id: id, names: [], body: .undefined)
    }

    /// Encodes a subscription.
    ///
    /// - Parameters:
    ///   - id: The id that the events will carry.
    ///   - channel: The name of the channel.
    ///   - event: The name of the event.
    ///   - argument: The argument.
    public static func listen(
        id: UInt64,
        channel: IPCString,
        event: IPCString,
        argument: IPCValue = .undefined
    ) -> [UInt8] {
        message(.listen, id: id, names: [channel, event], body: argument)
    }

    /// Encodes the end of a subscription.
    ///
    /// - Parameter id: The id of the subscription.
    public static func unlisten(id: UInt64) -> [UInt8] {
        message(.unlisten, id: id, names: [], body: .undefined)
    }

    /// Encodes the result of a call.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - result: The result.
    public static func success(id: UInt64, result: IPCValue = .undefined) -> [UInt8] {
        message(.success, id: id, names: [], body: result)
    }

    /// Encodes an Error as the answer to a call, its members in the order `message`, `name`, `stack` (PROTOCOL 3.3).
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - name: The name of the Error, such as `TypeError`.
    ///   - message: What went wrong.
    ///   - stack: The lines of the stack; nil when there is none.
    public static func failure(id: UInt64, name: String, message: String, stack: [String]? = nil) -> [UInt8] {
        var members = [
            IPCObject.Member(key: "message", value: IPCValue(message)),
            IPCObject.Member(key: "name", value: IPCValue(name)),
        ]
        if let stack {
            members.append(IPCObject.Member(key: "stack", value: .array(stack.map { IPCValue($0) })))
        }
        return Self.message(.failure, id: id, names: [], body: .object(IPCObject(members)))
    }

    /// Encodes an Error as the answer to a call, with a body of any shape.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - error: Normally an object with `message`, `name` and `stack`.
    public static func failure(id: UInt64, error: IPCValue) -> [UInt8] {
        message(.failure, id: id, names: [], body: error)
    }

    /// Encodes a failure that is not an Error as the answer to a call.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - value: What the handler failed with.
    public static func failureValue(id: UInt64, value: IPCValue) -> [UInt8] {
        message(.failureValue, id: id, names: [], body: value)
    }

    /// Encodes the firing of an event.
    ///
    /// - Parameters:
    ///   - id: The id of the subscription.
    ///   - payload: What the event carries.
    public static func event(id: UInt64, payload: IPCValue = .undefined) -> [UInt8] {
        message(.event, id: id, names: [], body: payload)
    }

    /// Decodes a message, header and body.
    ///
    /// - Parameters:
    ///   - message: The body of a Regular frame. Not for a client's first message, which is a context.
    ///   - mode: How broken input is treated.
    ///   - limits: The bounds to keep.
    /// - Throws: ``WireError`` as ``DecodedMessage/init(_:mode:limits:)``.
    public static func decode(
        _ message: Span<UInt8>,
        mode: ValueDecoder.Mode = .strict,
        limits: IPCLimits = IPCLimits()
    ) throws(WireError) -> DecodedMessage {
        try DecodedMessage(message, mode: mode, limits: limits)
    }

    /// Decodes a message, header and body.
    ///
    /// - Parameters:
    ///   - message: The body of a Regular frame. Not for a client's first message, which is a context.
    ///   - mode: How broken input is treated.
    ///   - limits: The bounds to keep.
    /// - Throws: ``WireError`` as ``DecodedMessage/init(_:mode:limits:)``.
    public static func decode(
        _ message: [UInt8],
        mode: ValueDecoder.Mode = .strict,
        limits: IPCLimits = IPCLimits()
    ) throws(WireError) -> DecodedMessage {
        try DecodedMessage(message.span, mode: mode, limits: limits)
    }

    private static func message(_ kind: MessageKind, id: UInt64?, names: [IPCString], body: IPCValue) -> [UInt8] {
        var output: [UInt8] = [ValueTag.array]
        VQL.appendCount(kind.headerCount, to: &output)
        output.append(ValueTag.int)
        VQL.append(kind.rawValue, to: &output)
        if let id {
            MessageID.append(id, to: &output)
        }
        for name in names {
            ValueEncoder.append(.string(name), to: &output)
        }
        ValueEncoder.append(body, to: &output)
        return output
    }
}
