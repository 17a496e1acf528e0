// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Reads along a connection: takes the bytes of both directions, gives what they say. Sans-I/O; time is passed in.
///
/// It shows whatever comes: what a strict reader refuses is shown as VS Code reads it, with a remark, and what nobody can
/// read with the reason and its bytes. Both sides may ask and answer. It may join a connection in its middle, at the
/// beginning of a frame.
public struct TraceDecoder: Sendable {
    /// A request that is not over.
    private struct Request {
        var channel: IPCString
        var name: IPCString
        var milliseconds: Double
    }

    /// What has come one way.
    private struct Stream {
        var decoder: FrameDecoder
        /// The end of what came before, in case a header began in it.
        var tail: [UInt8] = []
        /// Whether frames can no longer be told apart, and how many bytes came since.
        var lostByteCount: Int?
        /// What was asked this way.
        var requests: [UInt64: Request] = [:]
    }

    /// The largest frame that is read unless it is said otherwise: what `IPCTransport` reads.
    public static let defaultFrameBytes = 64 * 1_024 * 1_024 + 64 * 1_024
    /// The most requests of one side that are remembered; the answers to others are shown without their names.
    private static let requestLimit = 65_536

    private let limits: IPCLimits
    private var fromClient: Stream
    private var fromServer: Stream
    private var mayBeContext = true

    /// Creates a decoder for one connection.
    ///
    /// - Parameter limits: The bounds of what is read; nil for the usual ones, with frames up to
    ///   ``defaultFrameBytes``.
    public init(limits: IPCLimits? = nil) {
        self.limits = limits ?? IPCLimits(frameBytes: Self.defaultFrameBytes)
        fromClient = Stream(decoder: FrameDecoder(limits: self.limits))
        fromServer = fromClient
    }

    /// Takes bytes that went one way.
    ///
    /// - Parameters:
    ///   - bytes: Any piece of the stream.
    ///   - direction: Which way they went.
    ///   - milliseconds: When, counted from whenever the caller likes.
    /// - Returns: What is complete with them, in its order.
    public mutating func receive(
        _ bytes: Span<UInt8>,
        _ direction: TraceDirection,
        at milliseconds: Double
    ) -> [TraceEntry] {
        guard bytes.count > 0 else { return [] }
        if let lost = self[direction].lostByteCount {
            self[direction].lostByteCount = lost + bytes.count
            return []
        }
        var entries: [TraceEntry] = []
        self[direction].decoder.append(bytes)
        while true {
            let unread = self[direction].decoder.bufferedByteCount
            do {
                guard let frame = try self[direction].decoder.next() else { break }
                entries.append(entry(frame, direction, milliseconds))
            } catch {
                let recent = self[direction].tail + [UInt8](copying: bytes, in: 0..<bytes.count)
                let reason = "\(error); this side cannot be followed any further"
                entries.append(
                    TraceEntry(direction, milliseconds, .unreadable(reason: reason, bytes: recent.suffix(unread)))
                )
                self[direction].lostByteCount = 0
                break
            }
        }
        let kept = FrameHeader.byteCount - 1
        let last = [UInt8](copying: bytes, in: max(0, bytes.count - kept)..<bytes.count)
        self[direction].tail = (self[direction].tail + last).suffix(kept)
        return entries
    }

    /// Takes the end of one direction.
    ///
    /// - Parameters:
    ///   - direction: Which way nothing more goes.
    ///   - milliseconds: When.
    /// - Returns: The end, and before it what was incomplete.
    public mutating func finish(_ direction: TraceDirection, at milliseconds: Double) -> [TraceEntry] {
        var end = TraceEntry(direction, milliseconds, .end)
        let missing = self[direction].decoder.bufferedByteCount
        if let lost = self[direction].lostByteCount {
            end.remark = "\(lost) further bytes were not read"
        } else if missing > 0 {
            end.remark = "inside a frame, of which \(missing) bytes had come"
        }
        return [end]
    }

    private subscript(direction: TraceDirection) -> Stream {
        get { direction == .clientToServer ? fromClient : fromServer }
        _modify {
            if direction == .clientToServer {
                yield &fromClient
            } else {
                yield &fromServer
            }
        }
    }

    // MARK: Messages

    private mutating func entry(_ frame: Frame, _ direction: TraceDirection, _ milliseconds: Double) -> TraceEntry {
        guard frame.type == .regular else {
            var entry = TraceEntry(direction, milliseconds, .frame(frame))
            entry.sequence = frame.id
            entry.acknowledgement = frame.ack
            return entry
        }
        var entry = read(frame.body, direction, milliseconds)
        entry.sequence = frame.id
        entry.acknowledgement = frame.ack
        if case .message(let message) = entry.content { follow(message, &entry) }
        return entry
    }

    private mutating func read(
        _ message: [UInt8],
        _ direction: TraceDirection,
        _ milliseconds: Double
    ) -> TraceEntry {
        if direction == .clientToServer, mayBeContext {
            mayBeContext = false
            // One value and nothing behind it is no message.
            if let context = try? ValueDecoder(limits: limits).decode(message.span) {
                return TraceEntry(direction, milliseconds, .context(context))
            }
        }
        do {
            return TraceEntry(direction, milliseconds, .message(try IPCMessage.decode(message, limits: limits)))
        } catch {
            guard let lenient = try? IPCMessage.decode(message, mode: .lenient, limits: limits) else {
                return TraceEntry(direction, milliseconds, .unreadable(reason: "\(error)", bytes: message))
            }
            var entry = TraceEntry(direction, milliseconds, .message(lenient))
            entry.remark = "only a lenient reader takes this: \(error)"
            return entry
        }
    }

    /// Finds the request that a message is or belongs to.
    private mutating func follow(_ message: DecodedMessage, _ entry: inout TraceEntry) {
        let asking: TraceDirection
        let id: UInt64
        var isOver = false
        var isAnswer = false
        switch message {
        case .initialize:
            return
        case .call(let number, let channel, let name, _), .listen(let number, let channel, let name, _):
            entry.channel = channel
            entry.name = name
            if self[entry.direction].requests.count < Self.requestLimit {
                let request = Request(channel: channel, name: name, milliseconds: entry.milliseconds)
                self[entry.direction].requests[number] = request
            }
            return
        case .cancel(let number):
            (asking, id) = (entry.direction, number)
        case .unlisten(let number):
            (asking, id, isOver) = (entry.direction, number, true)
        case .success(let number, _), .failure(let number, _), .failureValue(let number, _):
            (asking, id, isOver, isAnswer) = (entry.direction.opposite, number, true, true)
        case .event(let number, _):
            (asking, id) = (entry.direction.opposite, number)
        }
        guard let request = self[asking].requests[id] else {
            if entry.remark == nil { entry.remark = "no open request with this number was seen" }
            return
        }
        entry.channel = request.channel
        entry.name = request.name
        if isAnswer { entry.elapsedMilliseconds = entry.milliseconds - request.milliseconds }
        if isOver { self[asking].requests[id] = nil }
    }
}
