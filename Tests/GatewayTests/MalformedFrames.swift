// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

/// Bytes that a strict reader refuses, and the reason it gives.
struct MalformedFrame: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var reason: String

    init(_ name: String, message: [UInt8], _ reason: String) {
        self.init(name, bytes: Frame.regular(message).encoded(), reason)
    }

    init(_ name: String, bytes: [UInt8], _ reason: String) {
        self.name = name
        self.bytes = bytes
        self.reason = reason
    }

    var testDescription: String { self.name }
}

extension MalformedFrame {
    /// A valid call of `sample.echo`.
    static let call = IPCMessage.call(id: 0, channel: "sample", command: "echo", argument: [5, "text"])

    /// A valid call of `sample.echo` whose body is replaced.
    static func call(body: [UInt8]) -> [UInt8] {
        header + body
    }

    private static let header = Array(IPCMessage.call(id: 0, channel: "sample", command: "echo").dropLast())

    /// The header of a call whose id is replaced.
    private static func call(id: [UInt8]) -> [UInt8] {
        [4, 4, 6, 100] + id + header[6...] + [0]
    }

    /// Messages that no reader should take; each is complete as a frame.
    static let messages = lengths + ids + headers + texts + nesting + ends

    private static let lengths = [
        MalformedFrame(
            "a length of two bytes that needs one",
            message: call(body: [1, 0x81, 0, 97]),
            "non-canonical-length"
        ),
        MalformedFrame(
            "an integer of six bytes",
            message: call(body: [6, 128, 128, 128, 128, 128, 1]),
            "length-out-of-range"
        ),
        MalformedFrame(
            "an integer of 33 bits",
            message: call(body: [6, 255, 255, 255, 255, 31]),
            "length-out-of-range"
        ),
        MalformedFrame(
            "an integer with zeros behind it",
            message: call(body: [6, 129, 128, 128, 0]),
            "non-canonical-length"
        ),
        MalformedFrame("a negative length", message: call(body: [1, 255, 255, 255, 255, 15]), "length-out-of-range"),
        MalformedFrame("a negative count", message: call(body: [4, 255, 255, 255, 255, 15]), "length-out-of-range"),
        MalformedFrame("a length that never ends", message: call(body: [1, 255, 255]), "truncated"),
        MalformedFrame("a buffer longer than the message", message: call(body: [2, 10, 1, 2]), "truncated"),
        MalformedFrame(
            "an array of two thousand million as the body",
            message: call(body: [4, 255, 255, 255, 255, 7]),
            "count-exceeds-input"
        ),
        MalformedFrame(
            "an array of two thousand million and nothing else",
            message: [4, 255, 255, 255, 255, 7],
            "count-exceeds-input"
        ),
        MalformedFrame(
            "a count in the header that is not canonical",
            message: [4, 0x81, 0, 6, 200, 1, 0],
            "non-canonical-length"
        ),
    ]

    private static let ids = [
        MalformedFrame("an id that is a string", message: call(id: [1, 1, 97]), "invalid-id"),
        MalformedFrame("a negative id", message: call(id: [6, 255, 255, 255, 255, 15]), "invalid-id"),
        MalformedFrame("an id with a fraction", message: call(id: [5, 3] + Array("1.5".utf8)), "invalid-id"),
        MalformedFrame("a small id as JSON", message: call(id: [5, 1] + Array("7".utf8)), "invalid-id"),
        MalformedFrame("an id with an exponent", message: call(id: [5, 10] + Array("1000000e10".utf8)), "invalid-id"),
        MalformedFrame(
            "an id with a zero in front",
            message: call(id: [5, 11] + Array("04294967296".utf8)),
            "invalid-id"
        ),
        MalformedFrame("an id with a space", message: call(id: [5, 11] + Array(" 4294967296".utf8)), "invalid-id"),
        MalformedFrame(
            "an id of 2 to the power of 53",
            message: call(id: [5, 16] + Array("9007199254740992".utf8)),
            "invalid-id"
        ),
        MalformedFrame("an id that is undefined", message: call(id: [0]), "invalid-id"),
        MalformedFrame("an id that is an array", message: call(id: [4, 0]), "invalid-id"),
        MalformedFrame("an id that is a buffer", message: call(id: [2, 1, 0]), "invalid-id"),
    ]

    private static let headers = [
        MalformedFrame("an unknown tag as the header", message: [7, 0], "header-not-array"),
        MalformedFrame("JSON as the header", message: [5, 5] + Array("[200]".utf8) + [0], "header-not-array"),
        MalformedFrame("a string as the header", message: [1, 1, 97, 0], "header-not-array"),
        MalformedFrame("an empty header", message: [4, 0, 0], "wrong-arity"),
        MalformedFrame("an unknown kind of message", message: [4, 2, 6, 99, 6, 0, 0], "unknown-message-kind"),
        MalformedFrame("the kind after the last", message: [4, 2, 6, 205, 1, 6, 0, 0], "unknown-message-kind"),
        MalformedFrame("a negative kind", message: [4, 1, 6, 255, 255, 255, 255, 15, 0], "unknown-message-kind"),
        MalformedFrame(
            "a kind that is a string",
            message: [4, 2, 1, 3] + Array("100".utf8) + [6, 0, 0],
            "wrong-header-type"
        ),
        MalformedFrame("a call without a command", message: [4, 3, 6, 100, 6, 0, 1, 1, 97, 0], "wrong-arity"),
        MalformedFrame("a cancellation with a name", message: [4, 3, 6, 101, 6, 0, 1, 1, 97, 0], "wrong-arity"),
        MalformedFrame("an Initialize with an id", message: [4, 2, 6, 200, 1, 6, 0, 0], "wrong-arity"),
        MalformedFrame(
            "a channel that is a number",
            message: [4, 4, 6, 100, 6, 0, 6, 1, 1, 1, 97, 0],
            "wrong-header-type"
        ),
        MalformedFrame(
            "a command that is a buffer",
            message: [4, 4, 6, 100, 6, 0, 1, 1, 97, 2, 1, 97, 0],
            "wrong-header-type"
        ),
        MalformedFrame(
            "a channel that is JSON",
            message: [4, 4, 6, 100, 6, 0, 5, 3, 34, 97, 34, 1, 1, 97, 0],
            "wrong-header-type"
        ),
    ]

    private static let texts = [
        MalformedFrame(
            "a channel that is not UTF-8",
            message: [4, 4, 6, 100, 6, 0, 1, 1, 255, 1, 1, 97, 0],
            "invalid-utf8"
        ),
        MalformedFrame(
            "a command with a lone surrogate",
            message: [4, 4, 6, 100, 6, 0, 1, 1, 97, 1, 3, 237, 160, 128, 0],
            "invalid-utf8"
        ),
        MalformedFrame(
            "an overlong slash in a name",
            message: [4, 4, 6, 100, 6, 0, 1, 2, 192, 175, 1, 1, 97, 0],
            "invalid-utf8"
        ),
        MalformedFrame("a string that is not UTF-8", message: call(body: [1, 2, 195, 40]), "invalid-utf8"),
        MalformedFrame("JSON that is not UTF-8", message: call(body: [5, 3, 34, 255, 34]), "invalid-utf8"),
        MalformedFrame("JSON that ends too early", message: call(body: [5, 1, 123]), "invalid-json"),
        MalformedFrame("JSON of no bytes", message: call(body: [5, 0]), "invalid-json"),
        MalformedFrame("JSON with a comma too many", message: call(body: [5, 4] + Array("[1,]".utf8)), "invalid-json"),
        MalformedFrame("JSON with two values", message: call(body: [5, 3] + Array("1 2".utf8)), "invalid-json"),
        MalformedFrame("JSON with NaN", message: call(body: [5, 3] + Array("NaN".utf8)), "invalid-json"),
        MalformedFrame("JSON with a line feed in a string", message: call(body: [5, 3, 34, 10, 34]), "invalid-json"),
    ]

    private static let nesting = [
        MalformedFrame(
            "arrays 10,000 deep",
            message: call(body: (0..<9_999).flatMap { _ in [UInt8(4), 1] } + [4, 0]),
            "too-deep"
        ),
        MalformedFrame(
            "JSON 10,000 deep",
            message: call(
                body: [5, 0xa0, 0x9c, 1] + Array(repeating: 91, count: 10_000) + Array(repeating: 93, count: 10_000)
            ),
            "too-deep"
        ),
        MalformedFrame(
            "objects 10,000 deep in JSON",
            message: call(
                body: [5, 0xe0, 0xd4, 3] + (0..<10_000).flatMap { _ in Array("{\"\":".utf8) }
                    + Array(repeating: 125, count: 20_000)
            ),
            "too-deep"
        ),
        MalformedFrame(
            "more elements than the limit",
            message: call(body: [4, 0x81, 0x80, 0x40] + Array(repeating: 0, count: (1 << 20) + 1)),
            "too-many-elements"
        ),
    ]

    private static let ends = [
        MalformedFrame("no message at all", message: [], "truncated"),
        MalformedFrame("an unknown tag as the body", message: call(body: [7]), "unknown-tag"),
        MalformedFrame("the last tag there is not", message: call(body: [255]), "unknown-tag"),
        MalformedFrame("an unknown tag in an array", message: call(body: [4, 1, 9]), "unknown-tag"),
        MalformedFrame("no body", message: call(body: []), "missing-body"),
        MalformedFrame("a byte behind the body", message: call(body: [0, 0]), "trailing-bytes"),
        MalformedFrame("a message behind the message", message: call + call, "trailing-bytes"),
    ]

    /// A valid call, cut after every byte, in frames of the length that is left.
    static let cutMessages = (1..<call.count).map { count in
        MalformedFrame("the first \(count) bytes of a call", message: Array(call[..<count]), reason(ofCut: count))
    }

    /// A call has a count of 4, so one with less than that behind it already lies. The body begins behind the header.
    private static func reason(ofCut count: Int) -> String {
        switch count {
        case 2..<6: "count-exceeds-input"
        case header.count: "missing-body"
        case header.count + 2..<header.count + 4: "count-exceeds-input"
        default: "truncated"
        }
    }

    /// Frames that are wrong before their message is looked at.
    static let frames =
        (0...255).filter { $0 != 1 }.map { type in
            MalformedFrame(
                "a frame of type \(type)",
                bytes: [UInt8(type)] + Frame.regular(call).encoded()[1...],
                "unexpected-frame-type"
            )
        } + [
            MalformedFrame(
                "a frame with an id",
                bytes: Frame(type: .regular, id: 1, body: call).encoded(),
                "unexpected-sequence"
            ),
            MalformedFrame(
                "a frame with an ack",
                bytes: Frame(type: .regular, ack: 1, body: call).encoded(),
                "unexpected-sequence"
            ),
            MalformedFrame(
                "the header of 4 GiB",
                bytes: [1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255],
                "frame-too-large"
            ),
            MalformedFrame(
                "a frame one byte above the limit",
                bytes: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1],
                "frame-too-large"
            ),
        ]

    /// First frames of a client that are not a context.
    static let contexts = [
        MalformedFrame("a context of no bytes", message: [], "truncated"),
        MalformedFrame("a context shorter than it says", message: [1, 9, 97], "truncated"),
        MalformedFrame("a context with bytes behind it", message: [1, 1, 97, 0], "trailing-bytes"),
        MalformedFrame("a context of an unknown tag", message: [7], "unknown-tag"),
        MalformedFrame("a context that is not UTF-8", message: [1, 1, 255], "invalid-utf8"),
        MalformedFrame("a context that is broken JSON", message: [5, 1, 123], "invalid-json"),
        MalformedFrame(
            "a context of two thousand million elements",
            message: [4, 255, 255, 255, 255, 7],
            "count-exceeds-input"
        ),
        MalformedFrame(
            "a context 1,000 deep",
            message: (0..<999).flatMap { _ in [UInt8(4), 1] } + [4, 0],
            "too-deep"
        ),
        MalformedFrame(
            "a context above its limit",
            message: [1, 0x80, 0x20] + Array(repeating: 97, count: 4_096),
            "frame-too-large"
        ),
        MalformedFrame(
            "a Control frame before the context",
            bytes: Frame(type: .control, body: Array("{}".utf8)).encoded(),
            "unexpected-frame-type"
        ),
        MalformedFrame(
            "a context with an id",
            bytes: Frame(type: .regular, id: 1, body: [1, 1, 97]).encoded(),
            "unexpected-sequence"
        ),
        MalformedFrame(
            "the header of 4 GiB",
            bytes: [1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255],
            "frame-too-large"
        ),
    ]
}
