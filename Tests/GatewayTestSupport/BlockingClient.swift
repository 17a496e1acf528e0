// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
public import IPCProtocol

/// A client that makes one call at a time over a ``BlockingStream``, which a test can look at meanwhile.
///
/// Not for several threads.
public final class BlockingClient {
    private let stream: BlockingStream
    private var decoder = FrameDecoder()
    private var requester = ChannelRequester()

    /// Announces a context over a connection.
    public init(_ stream: BlockingStream, context: IPCValue) throws {
        self.stream = stream
        try stream.send(ConnectionOpening.client(context: context))
    }

    /// Calls a command and waits for its answer.
    ///
    /// - Throws: `RemoteError` when the handler, or the gateway, answers with an Error; `TestSupportError` when the connection
    ///   ends, with the gateway's reason if it gave one, or when no answer comes in time.
    public func call(
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue = .undefined,
        milliseconds: Int32 = patient(5_000)
    ) throws -> IPCValue {
        let request = requester.call(channel, command, argument)
        try send(request.message)
        while true {
            guard let event = try nextEvent(milliseconds: milliseconds) else {
                try send(requester.cancel(request.id))
                throw TestSupportError("no answer to \(channel).\(command) within \(milliseconds) ms")
            }
            guard case .answered(request.id, let outcome) = event else { continue }
            switch outcome {
            case .success(let value): return value
            case .failure(let error): throw error
            case .failureValue(let value):
                throw RemoteError(name: nil, message: value.string.map { IPCString($0) } ?? "")
            }
        }
    }

    /// Waits until the server says that it is ready for requests.
    ///
    /// - Throws: `TestSupportError` with the reason when the connection ends instead.
    public func waitUntilReady(milliseconds: Int32 = patient(5_000)) throws {
        while !requester.isReady {
            guard try nextEvent(milliseconds: milliseconds) != nil else {
                throw TestSupportError("the server did not say Initialize within \(milliseconds) ms")
            }
        }
    }

    /// Ends the connection in order.
    public func finish() {
        stream.finishSending()
    }

    private func send(_ message: [UInt8]?) throws {
        if let message { try stream.send(Frame.regular(message).encoded()) }
    }

    private func nextEvent(milliseconds: Int32) throws -> ChannelRequester.Event? {
        while true {
            if let frame = try decoder.next() {
                guard let event = try event(of: frame) else { continue }
                if case .ready(let released) = event {
                    for message in released { try send(message) }
                }
                return event
            }
            switch try stream.receive(milliseconds: milliseconds) {
            case .bytes(let bytes): decoder.append(bytes.span)
            case .end: throw TestSupportError("the connection was closed")
            case .nothing: return nil
            }
        }
    }

    private func event(of frame: Frame) throws -> ChannelRequester.Event? {
        switch frame.type {
        case .regular:
            return requester.receive(try IPCMessage.decode(frame.body))
        case .control:
            // A gateway's last word (docs/protocol.md).
            guard case .object(let members)? = try? JSONText.parse(frame.body.span, in: 0..<frame.body.count),
                members["type"]?.string == "error"
            else { return nil }
            let code = members["code"]?.string ?? "unknown"
            throw TestSupportError(
                "the gateway closes the connection: \(members["reason"]?.string ?? "no reason") (\(code))"
            )
        default:
            return nil
        }
    }
}
