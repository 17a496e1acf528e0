// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Checks UTF-8 without allocating and without decoding it.
enum UTF8Check {
    /// Looks for the first byte that does not start a well-formed sequence.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - start: Where the text starts.
    ///   - end: Where the text ends.
    /// - Returns: The offset of that byte, or nil when all of the text is valid.
    @inline(__always)
    static func firstInvalid(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        // Most names and texts need no more than this, and no call.
        let text = bytes.extracting(start..<end)
        return text.count < 32 && isASCII(text) ? nil : firstInvalidInAny(bytes, from: start, to: end)
    }

    /// Whether a short text is ASCII.
    @inline(__always)
    private static func isASCII(_ text: Span<UInt8>) -> Bool {
        var rest = text
        var union: UInt64 = 0
        while rest.count >= 8 {
            union |= rest.firstWord
            rest = rest.extracting(8...)
        }
        return (union | rest.shortWord) & 0x8080_8080_8080_8080 == 0
    }

    @inline(never)
    private static func firstInvalidInAny(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        var position = skipASCII(in: bytes, from: start, to: end)
        while position < end {
            let length = sequenceLength(in: bytes, at: position, to: end)
            if length == 0 {
                return position
            }
            position += length
            position = skipASCII(in: bytes, from: position, to: end)
        }
        return nil
    }

    /// Returns the offset of the first byte from `start` that is not ASCII, or `end`.
    private static func skipASCII(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var rest = bytes.extracting(start..<end)
        // A block of known size is a few vector operations.
        while rest.count >= 32 {
            var union: UInt8 = 0
            for index in 0..<32 {
                union |= rest[index]
            }
            if union >= 0x80 {
                break
            }
            rest = rest.extracting(32...)
        }
        // Names are mostly shorter than that. The first byte with a high bit is found by the zeros below it.
        while rest.count >= 8 {
            let high = rest.firstWord & 0x8080_8080_8080_8080
            if high != 0 {
                return end - rest.count + high.trailingZeroBitCount / 8
            }
            rest = rest.extracting(8...)
        }
        let high = rest.shortWord & 0x8080_8080_8080_8080
        return high == 0 ? end : end - rest.count + high.trailingZeroBitCount / 8
    }

    /// Returns the length of the well-formed sequence at `position` (Unicode, table 3-7), or 0.
    static func sequenceLength(in bytes: Span<UInt8>, at position: Int, to end: Int) -> Int {
        let first = bytes[position]
        let left = end - position
        switch first {
        case 0...0x7f:
            return 1
        case 0xc2...0xdf:
            return left >= 2 && isContinuation(bytes[position + 1]) ? 2 : 0
        case 0xe0...0xef:
            guard left >= 3 else { return 0 }
            let second = bytes[position + 1]
            let lowest: UInt8 = first == 0xe0 ? 0xa0 : 0x80
            let highest: UInt8 = first == 0xed ? 0x9f : 0xbf
            return second >= lowest && second <= highest && isContinuation(bytes[position + 2]) ? 3 : 0
        case 0xf0...0xf4:
            guard left >= 4 else { return 0 }
            let second = bytes[position + 1]
            let lowest: UInt8 = first == 0xf0 ? 0x90 : 0x80
            let highest: UInt8 = first == 0xf4 ? 0x8f : 0xbf
            guard second >= lowest, second <= highest else { return 0 }
            return isContinuation(bytes[position + 2]) && isContinuation(bytes[position + 3]) ? 4 : 0
        default:
            return 0
        }
    }

    private static func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xc0 == 0x80
    }
}
