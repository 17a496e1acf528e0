// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

package import IPCProtocol

/// Text of strangers, made safe for a terminal: one line, and nothing that moves the cursor or turns the writing around.
package enum PrintableText {
    /// Writes what does not print as JSON's escapes, so that JSON stays the same JSON.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - kept: A character that stays as it is, such as a line feed.
    package static func escaped(_ text: String, keeping kept: Unicode.Scalar? = nil) -> String {
        // Nearly always there is nothing to do.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == kept || isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return result
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Marks and overrides of the direction of writing, and the byte order mark.
        case 0x061c, 0x200e...0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfeff: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    /// Bytes as hexadecimal digits in pairs, the first of many.
    package static func hexadecimal(_ bytes: some Collection<UInt8>, atMost limit: Int = 32) -> String {
        let pairs = bytes.prefix(limit).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return pairs.joined(separator: " ") + (bytes.count > limit ? " …" : "")
    }

    /// A value in one line: JSON, `undefined`, and buffers with their first bytes.
    ///
    /// - Parameters:
    ///   - value: The value. Only as much of it is looked at as is needed.
    ///   - limit: How many characters are wanted; more end with "…".
    package static func line(_ value: IPCValue, atMost limit: Int? = nil) -> String {
        var writer = LineWriter(room: limit ?? .max)
        writer.append(value)
        let text = escaped(String(decoding: writer.output, as: UTF8.self))
        return cut(text, limit)
    }

    /// The first characters of a text; more end with "…".
    package static func cut(_ text: String, _ limit: Int?) -> String {
        guard let limit, text.count > limit else { return text }
        return text.prefix(limit) + "…"
    }
}

/// Writes JSON until there is more than wanted.
private struct LineWriter {
    var output: [UInt8] = []
    /// In characters, each of which has a byte at least.
    let room: Int
    private static let shownBytes = 16

    private var isFull: Bool { output.count / 4 > room }

    init(room: Int) {
        self.room = room
    }

    mutating func append(_ value: IPCValue) {
        switch value {
        case .undefined: append("undefined")
        case .buffer(let bytes): append("<Buffer \(Self.text(of: bytes))>")
        case .vsBuffer(let bytes): append("<VSBuffer \(Self.text(of: bytes))>")
        case .array(let elements):
            append("[")
            for (index, element) in elements.enumerated() {
                guard !isFull else { return }
                if index > 0 { append(",") }
                append(element)
            }
            append("]")
        case .object(let object):
            append("{")
            for (index, member) in object.members.enumerated() {
                guard !isFull else { return }
                if index > 0 { append(",") }
                append(.string(member.key))
                append(":")
                append(member.value)
            }
            append("}")
        case .string(let text) where text.wtf8.count / 4 > room:
            append("\"" + String(decoding: text.wtf8.prefix(4 * room + 8), as: UTF8.self))
        case .string, .number, .int, .bool, .null:
            JSONText.append(value, to: &output)
        }
    }

    private mutating func append(_ text: String) {
        output += text.utf8
    }

    private static func text(of bytes: [UInt8]) -> String {
        let count = "\(bytes.count) byte\(bytes.count == 1 ? "" : "s")"
        return bytes.isEmpty ? count : "\(count): \(PrintableText.hexadecimal(bytes, atMost: shownBytes))"
    }
}
