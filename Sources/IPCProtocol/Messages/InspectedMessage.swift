// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a relay has to know of a message: its header, and that its body is sound (PROTOCOL 3.5).
///
/// Decoded strictly and without allocation. The body is walked, not decoded, so that it can be forwarded byte for byte.
public struct InspectedMessage: Sendable, Hashable {
    /// The header, decoded. Ranges are offsets into the message and hold the UTF-8 text of a name.
    public enum Kind: Sendable, Hashable {
        /// 100: run a command.
        case call(id: UInt64, channel: Range<Int>, command: Range<Int>)
        /// 101: stop a call.
        case cancel(id: UInt64)
        /// 102: subscribe to an event.
        case listen(id: UInt64, channel: Range<Int>, event: Range<Int>)
        /// 103: end a subscription.
        case unlisten(id: UInt64)
        /// 200: the sender is ready for requests.
        case initialize
        /// 201: a call succeeded.
        case success(id: UInt64)
        /// 202: a call failed with an Error.
        case failure(id: UInt64)
        /// 203: a call failed with something that is not an Error.
        case failureValue(id: UInt64)
        /// 204: an event was fired.
        case event(id: UInt64)
    }

    /// The header, decoded.
    public var kind: Kind

    /// Where the body starts; it ends with the message.
    public var bodyOffset: Int

    /// Inspects a message.
    ///
    /// The header has to be an array of exactly the elements its kind has: the kind an integer; the id an integer from 0 to
    /// 2⁵³−1 in the one form VS Code writes it; names strings of valid UTF-8. Exactly one value follows it.
    ///
    /// - Parameters:
    ///   - message: The body of a Regular frame.
    ///   - limits: The bounds to keep.
    /// - Throws: ``WireError`` with any reason about values or messages.
    public init(_ message: Span<UInt8>, limits: IPCLimits = IPCLimits()) throws(WireError) {
        var offset = 0
        let header = try Self.readHeaderStart(message, at: &offset)
        switch header {
        case .initialize:
            kind = .initialize
        case .call, .listen:
            let id = try MessageID.read(message, at: &offset)
            let channel = try Self.readName(message, at: &offset)
            let name = try Self.readName(message, at: &offset)
            kind =
                header == .call
                ? .call(id: id, channel: channel, command: name)
                : .listen(id: id, channel: channel, event: name)
        case .cancel:
            kind = .cancel(id: try MessageID.read(message, at: &offset))
        case .unlisten:
            kind = .unlisten(id: try MessageID.read(message, at: &offset))
        case .success:
            kind = .success(id: try MessageID.read(message, at: &offset))
        case .failure:
            kind = .failure(id: try MessageID.read(message, at: &offset))
        case .failureValue:
            kind = .failureValue(id: try MessageID.read(message, at: &offset))
        case .event:
            kind = .event(id: try MessageID.read(message, at: &offset))
        }
        bodyOffset = offset
        guard offset < message.count else {
            throw WireError(.missingBody, at: offset)
        }
        var elements = header.headerCount
        try ValueWalker.skipValue(in: message, at: &offset, limits: limits, elements: &elements)
        guard offset == message.count else {
            throw WireError(.trailingBytes, at: offset)
        }
    }

    /// Reads the header up to its kind, and checks that it has as many elements as its kind.
    @inline(__always)
    private static func readHeaderStart(
        _ message: Span<UInt8>,
        at offset: inout Int
    ) throws(WireError) -> MessageKind {
        guard message.count > 0 else {
            throw WireError(.truncated, at: 0)
        }
        guard message[0] == ValueTag.array else {
            throw WireError(.headerNotArray, at: 0, found: Int(message[0]))
        }
        offset = 1
        let count = try VQL.readCount(message, at: &offset)
        let left = message.count - offset
        guard count <= left else {
            throw WireError(.countExceedsInput, at: 0, found: count, allowed: left)
        }
        guard count > 0 else {
            throw WireError(.wrongArity, at: 0, found: 0, allowed: 1)
        }
        let start = offset
        guard message[start] == ValueTag.int else {
            throw WireError(.wrongHeaderType, at: start, found: Int(message[start]))
        }
        offset += 1
        let number = try VQL.read(message, at: &offset)
        guard let kind = MessageKind(rawValue: number) else {
            throw WireError(.unknownMessageKind, at: start, found: Int(number))
        }
        guard count == kind.headerCount else {
            throw WireError(.wrongArity, at: 0, found: count, allowed: kind.headerCount)
        }
        return kind
    }

    /// Reads the name of a channel, command or event; returns where its text is.
    private static func readName(_ message: Span<UInt8>, at offset: inout Int) throws(WireError) -> Range<Int> {
        guard offset < message.count else {
            throw WireError(.truncated, at: offset)
        }
        guard message[offset] == ValueTag.string else {
            throw WireError(.wrongHeaderType, at: offset, found: Int(message[offset]))
        }
        let text = try ValueWalker.readExtent(in: message, at: &offset)
        if let invalid = UTF8Check.firstInvalid(in: message, from: text.lowerBound, to: text.upperBound) {
            throw WireError(.invalidUTF8, at: invalid)
        }
        return text
    }
}

extension InspectedMessage {
    /// The number the header starts with.
    public var messageKind: MessageKind {
        switch kind {
        case .call: .call
        case .cancel: .cancel
        case .listen: .listen
        case .unlisten: .unlisten
        case .initialize: .initialize
        case .success: .success
        case .failure: .failure
        case .failureValue: .failureValue
        case .event: .event
        }
    }

    /// The id; nil only for Initialize.
    public var id: UInt64? {
        switch kind {
        case .call(let id, _, _), .listen(let id, _, _): id
        case .cancel(let id), .unlisten(let id), .success(let id), .failure(let id), .failureValue(let id),
            .event(let id):
            id
        case .initialize: nil
        }
    }

    /// Writes this message with another id: a new header, and the body as it was.
    ///
    /// - Parameters:
    ///   - message: The bytes this was made from.
    ///   - newID: The id, at most 2⁵³−1; of no effect for Initialize.
    ///   - output: What the message is appended to.
    public func append(_ message: Span<UInt8>, renumberedTo newID: UInt64, to output: inout [UInt8]) {
        let code = messageKind
        output.append(ValueTag.array)
        VQL.appendCount(code.headerCount, to: &output)
        output.append(ValueTag.int)
        VQL.append(code.rawValue, to: &output)
        if code != .initialize {
            MessageID.append(newID, to: &output)
        }
        switch kind {
        case .call(_, let channel, let name), .listen(_, let channel, let name):
            for range in [channel, name] {
                output.append(ValueTag.string)
                VQL.appendCount(range.count, to: &output)
                output.append(copying: message, in: range)
            }
        default:
            break
        }
        output.append(copying: message, in: bodyOffset..<message.count)
    }
}
