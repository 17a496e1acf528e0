// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What stands for itself in the audit log's texts, and what is escaped.
enum AuditEscape {
    /// The length of the character at `position` when it stands for itself; 0 when it has to be escaped, or is no UTF-8.
    static func plainLength(in text: Span<UInt8>, at position: Int) -> Int {
        let first = text[position]
        if first < 0x80 {
            return first >= 0x20 && first != 0x7f && first != UInt8(ascii: "\"") && first != UInt8(ascii: "\\") ? 1 : 0
        }
        let (length, scalar) = character(in: text, at: position)
        return length == 0 || isHidden(scalar) ? 0 : length
    }

    /// Appends what stands for the character at `position`, which is not plain.
    ///
    /// - Returns: How many bytes it has.
    static func append(in text: Span<UInt8>, at position: Int, to output: inout [UInt8]) -> Int {
        let first = text[position]
        switch first {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            output.append(UInt8(ascii: "\\"))
            output.append(first)
            return 1
        case UInt8(ascii: "\n"):
            output.append(contentsOf: "\\n".utf8)
            return 1
        case UInt8(ascii: "\t"):
            output.append(contentsOf: "\\t".utf8)
            return 1
        case ..<0x80:
            appendEscape(UInt32(first), to: &output)
            return 1
        default:
            let (length, scalar) = character(in: text, at: position)
            appendEscape(length == 0 ? 0xfffd : scalar, to: &output)
            return max(1, length)
        }
    }

    /// Characters that cannot be seen, or that change how others are shown: C1 controls, marks of direction, line and
    /// paragraph separators, the byte order mark, fillers, variation selectors and tags.
    private static func isHidden(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x80...0x9f, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4...0x17b5, 0x180b...0x180f, 0x200b...0x200f,
            0x2028...0x202e, 0x2060...0x206f,
            0x3164,
            0xfe00...0xfe0f, 0xfeff, 0xffa0, 0xfff0...0xfffb, 0x1d173...0x1d17a, 0xe0000...0xe0fff:
            true
        default:
            false
        }
    }

    private static func appendEscape(_ scalar: UInt32, to output: inout [UInt8]) {
        if scalar > 0xffff {
            // A pair of surrogates, as JSON has it.
            appendEscape(0xd800 + (scalar - 0x10000) >> 10, to: &output)
            return appendEscape(0xdc00 + (scalar - 0x10000) & 0x3ff, to: &output)
        }
        output.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(truncatingIfNeeded: scalar >> shift & 0xf)
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// The length and value of a well-formed sequence of two to four bytes (Unicode, table 3-7); length 0 for others.
    private static func character(in text: Span<UInt8>, at position: Int) -> (length: Int, scalar: UInt32) {
        let first = text[position]
        let length: Int
        var scalar: UInt32
        switch first {
        case 0xc2...0xdf: (length, scalar) = (2, UInt32(first & 0x1f))
        case 0xe0...0xef: (length, scalar) = (3, UInt32(first & 0x0f))
        case 0xf0...0xf4: (length, scalar) = (4, UInt32(first & 0x07))
        default: return (0, 0)
        }
        guard position + length <= text.count else { return (0, 0) }
        for index in position + 1..<position + length {
            guard text[index] & 0xc0 == 0x80 else { return (0, 0) }
            scalar = scalar << 6 | UInt32(text[index] & 0x3f)
        }
        switch (length, scalar) {
        case (3, 0x800...0xd7ff), (3, 0xe000...0xffff), (4, 0x1_0000...0x10_ffff), (2, _): return (length, scalar)
        default: return (0, 0)
        }
    }
}
