// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Which way bytes of a traced connection go.
public enum TraceDirection: String, Sendable, Hashable, CaseIterable {
    /// From the client to the server.
    case clientToServer = "c2s"
    /// From the server to the client.
    case serverToClient = "s2c"

    /// The other way.
    public var opposite: Self { self == .clientToServer ? .serverToClient : .clientToServer }
}

/// Something that passed on a traced connection: see ``TraceDecoder``.
public struct TraceEntry: Sendable, Hashable {
    /// What can pass.
    public enum Content: Sendable, Hashable {
        /// What the client says who it is.
        case context(IPCValue)
        /// A message.
        case message(DecodedMessage)
        /// A frame that carries no message: of another type than Regular.
        case frame(Frame)
        /// Bytes that nobody can read, or the first of them, and why.
        case unreadable(reason: String, bytes: [UInt8])
        /// The sender has finished, in order.
        case end
    }

    /// Which way it went.
    public var direction: TraceDirection
    /// When it was complete, in milliseconds of whoever asks.
    public var milliseconds: Double
    /// What it was.
    public var content: Content
    /// The channel of the request that it is or belongs to.
    public var channel: IPCString?
    /// The command or event of that request.
    public var name: IPCString?
    /// How long after the request it came, for what ends a call.
    public var elapsedMilliseconds: Double?
    /// What else is to be said about it, such as why a strict reader would refuse it.
    public var remark: String?
    /// The number of the frame, where the protocol numbers them; otherwise 0.
    public var sequence: UInt32 = 0
    /// The acknowledgement in the frame, where the protocol has them; otherwise 0.
    public var acknowledgement: UInt32 = 0

    init(_ direction: TraceDirection, _ milliseconds: Double, _ content: Content) {
        self.direction = direction
        self.milliseconds = milliseconds
        self.content = content
    }
}

extension TraceEntry: CustomStringConvertible {
    /// One line without time and direction, values in full.
    public var description: String { text() }

    /// One line without time and direction, such as `call 3 storage.get "colour"` or
    /// `success 3 storage.get "blue" (1.2 ms)`. Safe for a terminal, whatever came.
    ///
    /// - Parameter width: After how many characters an argument or result is cut; nil for never.
    public func text(width: Int? = nil) -> String {
        var words = what
        if let channel, let name { words.append(PrintableText.escaped("\(channel).\(name)")) }
        if let value = value(width) { words.append(value) }
        if sequence != 0 || acknowledgement != 0 { words.append("[id \(sequence), ack \(acknowledgement)]") }
        if let elapsedMilliseconds { words.append("(\(Self.short(elapsedMilliseconds)) ms)") }
        if let remark { words.append("— \(PrintableText.escaped(remark))") }
        return words.joined(separator: " ")
    }

    /// One line with everything, such as `   0.012 #1 → call 3 storage.get "colour"`: seconds, the number of the
    /// connection, and an arrow to the server (→) or to the client (←).
    ///
    /// - Parameters:
    ///   - connection: The number of the connection.
    ///   - width: After how many characters an argument or result is cut; nil for never.
    public func line(connection: Int, width: Int? = nil) -> String {
        "\(Self.time(milliseconds)) #\(connection) \(untimedLine(width: width))"
    }

    /// One line with the arrow only.
    package func untimedLine(width: Int?) -> String {
        "\(direction == .clientToServer ? "→" : "←") \(text(width: width))"
    }

    private var what: [String] {
        switch content {
        case .context: return ["context"]
        case .message(let message): return [message.kindName] + (message.id.map { ["\($0)"] } ?? [])
        case .frame(let frame): return ["\(frame.type)"]
        case .unreadable(let reason, _): return ["unreadable:", PrintableText.escaped(reason)]
        case .end: return ["end"]
        }
    }

    private func value(_ width: Int?) -> String? {
        switch content {
        case .context(let value): return PrintableText.line(value, atMost: width)
        case .message(.failure(_, let error)) where error["message"] != nil:
            return PrintableText.cut(PrintableText.escaped("\(RemoteError(body: error))"), width)
        case .message(let message):
            return message.body.flatMap { $0 == .undefined ? nil : PrintableText.line($0, atMost: width) }
        case .frame(let frame) where frame.body.isEmpty: return nil
        case .frame(let frame) where frame.type == .control:
            return PrintableText.cut(PrintableText.escaped(String(decoding: frame.body, as: UTF8.self)), width)
        case .frame(let frame): return Self.hexadecimal(frame.body)
        case .unreadable(_, let bytes): return bytes.isEmpty ? nil : "(\(Self.hexadecimal(bytes)))"
        case .end: return nil
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        "\(bytes.count) byte\(bytes.count == 1 ? "" : "s"): \(PrintableText.hexadecimal(bytes))"
    }

    /// Seconds with three digits, in a column.
    package static func time(_ milliseconds: Double) -> String {
        let whole = milliseconds.isFinite ? Int(min(max(milliseconds, 0), 1e15)) : 0
        let digits = String(whole % 1_000)
        let text = "\(whole / 1_000)." + String(repeating: "0", count: 3 - digits.count) + digits
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
    }

    /// Milliseconds with one or two digits that matter.
    private static func short(_ milliseconds: Double) -> String {
        milliseconds < 10 ? "\((milliseconds * 100).rounded() / 100)" : "\((milliseconds * 10).rounded() / 10)"
    }
}

extension DecodedMessage {
    /// The kind, in a word.
    var kindName: String {
        switch self {
        case .call: "call"
        case .cancel: "cancel"
        case .listen: "listen"
        case .unlisten: "unlisten"
        case .initialize: "initialize"
        case .success: "success"
        case .failure: "failure"
        case .failureValue: "failure value"
        case .event: "event"
        }
    }

    /// The number that ties answers to requests.
    var id: UInt64? {
        switch self {
        case .call(let id, _, _, _), .listen(let id, _, _, _), .cancel(let id), .unlisten(let id), .success(let id, _),
            .failure(let id, _), .failureValue(let id, _), .event(let id, _):
            id
        case .initialize: nil
        }
    }

    /// What the message carries.
    var body: IPCValue? {
        switch self {
        case .call(_, _, _, let value), .listen(_, _, _, let value), .success(_, let value), .failure(_, let value),
            .failureValue(_, let value), .event(_, let value):
            value
        case .cancel, .unlisten, .initialize: nil
        }
    }
}
