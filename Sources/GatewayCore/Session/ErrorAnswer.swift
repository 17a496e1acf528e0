// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Error answers: those the gateway makes, and those of servers, without what is no stranger's business.
enum ErrorAnswer {
    /// A frame that says that a call failed.
    static func frame(_ id: UInt64, _ name: String, _ message: String) -> [UInt8] {
        Frame.regular(IPCMessage.failure(id: id, name: name, message: message, stack: nil)).encoded()
    }

    /// The answer to a call whose server was lost with it.
    static func lost(_ id: UInt64) -> [UInt8] {
        let message =
            "The server behind the gateway was lost before it answered. It may have done what was asked, or not."
        return frame(id, "UpstreamLost", message)
    }

    /// What a VS Code server answers, with its members in this order, when it does not have the channel.
    static func unknownChannel(_ id: UInt64, _ channel: String) -> [UInt8] {
        let error: IPCObject = [
            "name": "Unknown channel",
            "message": .string(IPCString("Channel name '\(channel)' timed out after 1000ms")),
        ]
        return Frame.regular(IPCMessage.failure(id: id, error: .object(error))).encoded()
    }

    /// Longer errors are not read: values take many times the room of their text.
    private static let longestParsed = 1 << 20

    /// Whether `stack` is anywhere in a text, or an escape that may stand for a letter of it.
    private static func mayHoldStack(_ text: Span<UInt8>, from start: Int) -> Bool {
        let word = Array("stack".utf8)
        var matched = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\\"), index + 1 < text.count, text[index + 1] == UInt8(ascii: "u") { return true }
            matched = byte == word[matched] ? matched + 1 : byte == word[0] ? 1 : 0
            if matched == word.count { return true }
        }
        return false
    }

    /// Stands for an error that is too long to be looked into.
    private static func tooLong(_ message: Span<UInt8>, bodyOffset: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.append(copying: message, in: 0..<bodyOffset)
        let text = "The server's error is longer than the gateway looks into for stack traces, and was not passed."
        ValueEncoder.append(.object(["message": .string(IPCString(text)), "name": "Error"]), to: &result)
        return result
    }

    /// The same message without the stack trace that its error has; nil when it has none.
    ///
    /// - Parameter message: An answer (202 or 203) that ``InspectedMessage`` has accepted.
    static func withoutStack(_ message: Span<UInt8>, bodyOffset: Int, limits: IPCLimits) -> [UInt8]? {
        let tagOfObject: UInt8 = 5
        guard message[bodyOffset] == tagOfObject else { return nil }
        var offset = bodyOffset + 1
        guard (try? VQL.readCount(message, at: &offset)) != nil, mayHoldStack(message, from: offset) else { return nil }
        if message.count - offset > longestParsed { return tooLong(message, bodyOffset: bodyOffset) }
        guard
            let body = try? JSONText.parse(message, in: offset..<message.count, maxDepth: limits.jsonDepth),
            let object = body.object, object["stack"] != nil
        else { return nil }
        let rest = IPCObject(object.members.filter { $0.key != "stack" })
        var result: [UInt8] = []
        result.append(copying: message, in: 0..<bodyOffset)
        ValueEncoder.append(.object(rest), to: &result)
        return result
    }
}
