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
    static func firstInvalid(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        var position = start
        while position < end {
            if bytes[position] < 0x80 {
                position = skipASCII(in: bytes, from: position, to: end)
                continue
            }
            let length = sequenceLength(in: bytes, at: position, to: end)
            if length == 0 {
                return position
            }
            position += length
        }
        return nil
    }

    /// Returns the offset of the first byte from `start` that is not ASCII, or `end`.
    private static func skipASCII(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        // Most text is ASCII. A block of known size is one vector operation or two; its bytes are looked at one by one
        // only when some have the high bit.
        while end - position >= 32 {
            let block = bytes.extracting(position..<position + 32)
            var union: UInt8 = 0
            for index in block.indices {
                union |= block[index]
            }
            if union >= 0x80 {
                break
            }
            position += 32
        }
        // Names are mostly shorter than that.
        while end - position >= 8 {
            let block = bytes.extracting(position..<position + 8)
            var union: UInt8 = 0
            for index in block.indices {
                union |= block[index]
            }
            if union >= 0x80 {
                break
            }
            position += 8
        }
        while position < end, bytes[position] < 0x80 {
            position += 1
        }
        return position
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
