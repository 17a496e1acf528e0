// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The number that ties answers to requests (PROTOCOL 3.2, 3.4).
enum MessageID {
    /// The last integer JavaScript counts to without error, 2⁵³−1.
    static let largest: UInt64 = 9_007_199_254_740_991

    /// The last id that travels as an integer (tag 6); above it is a JSON number (tag 5).
    static let largestInt = UInt64(Int32.max)

    /// Reads an id in the one form VS Code writes it.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where the value starts; afterwards where it ends.
    /// - Throws: ``WireError`` with `invalidID` for anything else, or a reason about lengths.
    @inline(__always)
    static func read(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> UInt64 {
        let start = offset
        guard start < bytes.count else {
            throw WireError(.truncated, at: start)
        }
        guard bytes[start] == ValueTag.int else {
            return try readLarge(bytes, at: &offset)
        }
        offset += 1
        let value = try VQL.read(bytes, at: &offset)
        guard value >= 0 else {
            throw WireError(.invalidID, at: start)
        }
        return UInt64(value)
    }

    @inline(never)
    private static func readLarge(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> UInt64 {
        let start = offset
        guard bytes[start] == ValueTag.object else {
            throw WireError(.invalidID, at: start)
        }
        let text = try ValueWalker.readExtent(in: bytes, at: &offset)
        // 2³¹ and 2⁵³−1 have 10 and 16 digits.
        guard text.count >= 10, text.count <= 16, bytes[text.lowerBound] != UInt8(ascii: "0") else {
            throw WireError(.invalidID, at: start)
        }
        var value: UInt64 = 0
        for index in text {
            let byte = bytes[index]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
                throw WireError(.invalidID, at: start)
            }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        guard value > largestInt, value <= largest else {
            throw WireError(.invalidID, at: start)
        }
        return value
    }

    /// Writes an id as VS Code does.
    ///
    /// - Precondition: `id` is at most 2⁵³−1.
    static func append(_ id: UInt64, to output: inout [UInt8]) {
        precondition(id <= largest, "ids end at 2⁵³−1")
        if id <= largestInt {
            output.append(ValueTag.int)
            VQL.append(Int32(id), to: &output)
        } else {
            let digits = String(id).utf8
            output.append(ValueTag.object)
            VQL.appendCount(digits.count, to: &output)
            output.append(contentsOf: digits)
        }
    }
}
