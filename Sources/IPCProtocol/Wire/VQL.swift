// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Variable-length quantities: how lengths, counts and integers are written (PROTOCOL 2.1).
///
/// A signed 32-bit number, reinterpreted as unsigned, seven bits at a time, least significant first; bit 7 is set on all
/// but the last byte. There is exactly one legal form for each number: the shortest, and one zero byte for 0.
public enum VQL {
    /// Reads a signed number.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where the number starts; afterwards where it ends. Unchanged when it throws.
    /// - Returns: The number.
    /// - Throws: ``WireError`` with `truncated`, `nonCanonicalLength`, or `lengthOutOfRange` for more than 32 bits.
    @inline(__always)
    public static func read(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> Int32 {
        let start = offset
        // Most numbers are small, and every message has several.
        if start < bytes.count, bytes[start] < 0x80 {
            offset = start &+ 1
            return Int32(bytes[start])
        }
        return try readLong(bytes, at: &offset)
    }

    @inline(never)
    private static func readLong(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> Int32 {
        let start = offset
        // The kinds of answers have two bytes.
        if start < bytes.count, bytes.count - start >= 2, bytes[start + 1] < 0x80, bytes[start + 1] > 0 {
            offset = start + 2
            return Int32(bytes[start] & 0x7f) | Int32(bytes[start + 1]) &<< 7
        }
        var position = start
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if shift == 28, byte > 0x0f {
                throw WireError(.lengthOutOfRange, at: start)
            }
            value |= UInt32(byte & 0x7f) &<< shift
            if byte < 0x80 {
                if byte == 0, shift > 0 {
                    throw WireError(.nonCanonicalLength, at: start)
                }
                offset = position
                return Int32(bitPattern: value)
            }
            shift += 7
        }
        throw WireError(.truncated, at: bytes.count)
    }

    /// Reads a length or count: a number that is not negative.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where the number starts; afterwards where it ends. Unchanged when it throws.
    /// - Returns: The number, from 0 to 2³¹−1.
    /// - Throws: ``WireError`` as ``read(_:at:)``, and `lengthOutOfRange` for a negative number.
    @inline(__always)
    public static func readCount(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> Int {
        let start = offset
        let value = try read(bytes, at: &offset)
        guard value >= 0 else {
            offset = start
            throw WireError(.lengthOutOfRange, at: start, found: Int(value))
        }
        return Int(value)
    }

    /// Writes a number in its shortest form.
    ///
    /// - Parameters:
    ///   - value: The number.
    ///   - output: What it is appended to: one to five bytes.
    public static func append(_ value: Int32, to output: inout [UInt8]) {
        var rest = UInt32(bitPattern: value)
        while rest > 0x7f {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Writes a length or count.
    ///
    /// - Precondition: `count` fits a signed 32-bit number; nothing longer can be expressed.
    static func appendCount(_ count: Int, to output: inout [UInt8]) {
        precondition(count <= Int(Int32.max), "nothing longer than 2 GiB can be encoded")
        append(Int32(count), to: &output)
    }
}
