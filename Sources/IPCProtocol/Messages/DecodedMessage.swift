// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A message with all its values, for those who handle it and do not only pass it on (PROTOCOL 3).
public enum DecodedMessage: Sendable, Hashable {
    /// 100: run a command.
    case call(id: UInt64, channel: IPCString, command: IPCString, argument: IPCValue)
    /// 101: stop a call.
    case cancel(id: UInt64)
    /// 102: subscribe to an event.
    case listen(id: UInt64, channel: IPCString, event: IPCString, argument: IPCValue)
    /// 103: end a subscription.
    case unlisten(id: UInt64)
    /// 200: the sender is ready for requests.
    case initialize
    /// 201: a call succeeded.
    case success(id: UInt64, result: IPCValue)
    /// 202: a call failed with an Error, normally an object with `message`, `name` and `stack`.
    case failure(id: UInt64, error: IPCValue)
    /// 203: a call failed with something that is not an Error.
    case failureValue(id: UInt64, value: IPCValue)
    /// 204: an event was fired.
    case event(id: UInt64, payload: IPCValue)

    /// Decodes a message.
    ///
    /// Strict mode accepts what ``InspectedMessage`` accepts. Lenient mode reads as VS Code does: header elements too many
    /// and bytes after the body are ignored, a missing body is `undefined`. What VS Code would take but these types cannot
    /// hold is refused in both modes: ids that are not integers from 0 to 2⁵³−1, names that are not strings, and kinds that
    /// nobody knows, which VS Code ignores.
    ///
    /// - Parameters:
    ///   - message: The body of a Regular frame.
    ///   - mode: How broken input is treated.
    ///   - limits: The bounds to keep.
    /// - Throws: ``WireError`` with any reason about values or messages.
    public init(
        _ message: Span<UInt8>,
        mode: ValueDecoder.Mode = .strict,
        limits: IPCLimits = IPCLimits()
    ) throws(WireError) {
        let decoder = ValueDecoder(mode: mode, limits: limits)
        if mode == .strict {
            let inspected = try InspectedMessage(message, limits: limits)
            var offset = inspected.bodyOffset
            let body = try decoder.decodePrefix(message, at: &offset)
            self.init(inspected, of: message, body: body)
            return
        }
        var offset = 0
        let header = try decoder.decodePrefix(message, at: &offset)
        let body = try decoder.decodePrefix(message, at: &offset)
        try self.init(header: header, body: body)
    }

    private init(_ inspected: InspectedMessage, of message: Span<UInt8>, body: IPCValue) {
        switch inspected.kind {
        case .call(let id, let channel, let command):
            self = .call(
                id: id,
                channel: IPCString(repairing: message, in: channel),
                command: IPCString(repairing: message, in: command),
                argument: body
            )
        case .cancel(let id): self = .cancel(id: id)
        case .listen(let id, let channel, let event):
            self = .listen(
                id: id,
                channel: IPCString(repairing: message, in: channel),
                event: IPCString(repairing: message, in: event),
                argument: body
            )
        case .unlisten(let id): self = .unlisten(id: id)
        case .initialize: self = .initialize
        case .success(let id): self = .success(id: id, result: body)
        case .failure(let id): self = .failure(id: id, error: body)
        case .failureValue(let id): self = .failureValue(id: id, value: body)
        case .event(let id): self = .event(id: id, payload: body)
        }
    }

    private init(header: IPCValue, body: IPCValue) throws(WireError) {
        guard case .array(let elements) = header else {
            throw WireError(.headerNotArray, at: 0)
        }
        guard let first = elements.first, case .int(let number) = first else {
            throw WireError(elements.isEmpty ? .wrongArity : .wrongHeaderType, at: 0, found: elements.count, allowed: 1)
        }
        guard let kind = MessageKind(rawValue: number) else {
            throw WireError(.unknownMessageKind, at: 0, found: Int(number))
        }
        guard elements.count >= kind.headerCount else {
            throw WireError(.wrongArity, at: 0, found: elements.count, allowed: kind.headerCount)
        }
        switch kind {
        case .initialize:
            self = .initialize
        case .call:
            self = .call(
                id: try Self.id(elements),
                channel: try Self.name(elements[2]),
                command: try Self.name(elements[3]),
                argument: body
            )
        case .listen:
            self = .listen(
                id: try Self.id(elements),
                channel: try Self.name(elements[2]),
                event: try Self.name(elements[3]),
                argument: body
            )
        case .cancel: self = .cancel(id: try Self.id(elements))
        case .unlisten: self = .unlisten(id: try Self.id(elements))
        case .success: self = .success(id: try Self.id(elements), result: body)
        case .failure: self = .failure(id: try Self.id(elements), error: body)
        case .failureValue: self = .failureValue(id: try Self.id(elements), value: body)
        case .event: self = .event(id: try Self.id(elements), payload: body)
        }
    }

    private static func id(_ elements: [IPCValue]) throws(WireError) -> UInt64 {
        guard let double = elements[1].double, let id = UInt64(whole: double), id <= MessageID.largest else {
            throw WireError(.invalidID, at: 0)
        }
        return id
    }

    private static func name(_ value: IPCValue) throws(WireError) -> IPCString {
        guard case .string(let name) = value else {
            throw WireError(.wrongHeaderType, at: 0)
        }
        return name
    }
}
