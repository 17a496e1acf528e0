// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Walks encoded values without decoding them, and judges them strictly.
///
/// What it accepts is exactly what VS Code's writer can produce, plus JSON text of any legal spelling: known tags,
/// lengths and integers in their shortest form, lengths and counts that fit what is there, bounded nesting and number of
/// elements, text that is valid UTF-8, and tag-5 text that is exactly one JSON value (PROTOCOL 2). VS Code's own reader
/// accepts more, by inventing results for broken input; see ``ValueDecoder`` for that.
///
/// Nothing is allocated, except a small array for JSON nested deeper than 64 levels.
public enum ValueWalker {
    /// Skips one value.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where the value starts; afterwards where it ends. Meaningless when it throws.
    ///   - limits: The bounds to keep.
    ///   - elements: Array elements the message has announced so far; grows by those of this value.
    /// - Throws: ``WireError`` with any of the reasons about values.
    public static func skipValue(
        in bytes: Span<UInt8>,
        at offset: inout Int,
        limits: IPCLimits,
        elements: inout Int
    ) throws(WireError) {
        try skip(in: bytes, at: &offset, limits: limits, elements: &elements, depth: 0)
    }

    /// Checks that the input is exactly one value.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - limits: The bounds to keep.
    /// - Throws: ``WireError`` with any of the reasons about values; `trailingBytes` when something follows it.
    public static func validate(_ bytes: Span<UInt8>, limits: IPCLimits = IPCLimits()) throws(WireError) {
        var offset = 0
        var elements = 0
        try skipValue(in: bytes, at: &offset, limits: limits, elements: &elements)
        guard offset == bytes.count else {
            throw WireError(.trailingBytes, at: offset)
        }
    }

    @inline(__always)
    private static func skip(
        in bytes: Span<UInt8>,
        at offset: inout Int,
        limits: IPCLimits,
        elements: inout Int,
        depth: Int
    ) throws(WireError) {
        guard offset < bytes.count else {
            throw WireError(.truncated, at: offset)
        }
        let tag = bytes[offset]
        switch tag {
        case ValueTag.undefined:
            offset += 1
        case ValueTag.string:
            let text = try readExtent(in: bytes, at: &offset)
            if let invalid = UTF8Check.firstInvalid(in: bytes, from: text.lowerBound, to: text.upperBound) {
                throw WireError(.invalidUTF8, at: invalid)
            }
        case ValueTag.buffer, ValueTag.vsBuffer:
            _ = try readExtent(in: bytes, at: &offset)
        case ValueTag.array:
            try skipArray(in: bytes, at: &offset, limits: limits, elements: &elements, depth: depth)
        case ValueTag.object:
            let text = try readExtent(in: bytes, at: &offset)
            try JSONText.validate(bytes, in: text, maxDepth: limits.jsonDepth)
        case ValueTag.int:
            offset += 1
            _ = try VQL.read(bytes, at: &offset)
        default:
            throw WireError(.unknownTag, at: offset, found: Int(tag))
        }
    }

    /// Apart, so that all other values are walked without a call.
    @inline(never)
    private static func skipArray(
        in bytes: Span<UInt8>,
        at offset: inout Int,
        limits: IPCLimits,
        elements: inout Int,
        depth: Int
    ) throws(WireError) {
        let count = try readElementCount(in: bytes, at: &offset, limits: limits, elements: &elements, depth: depth)
        for _ in 0..<count {
            try skip(in: bytes, at: &offset, limits: limits, elements: &elements, depth: depth + 1)
        }
    }

    /// Reads tag and length of a string, buffer or object; moves behind it.
    ///
    /// - Returns: Where its bytes are, all of which are there.
    @inline(__always)
    static func readExtent(in bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> Range<Int> {
        let start = offset
        offset += 1
        let length = try VQL.readCount(bytes, at: &offset)
        let left = bytes.count - offset
        guard length <= left else {
            throw WireError(.truncated, at: start, found: length, allowed: left)
        }
        let extent = offset..<offset + length
        offset += length
        return extent
    }

    /// Reads tag and count of an array that lies inside `depth` others.
    private static func readElementCount(
        in bytes: Span<UInt8>,
        at offset: inout Int,
        limits: IPCLimits,
        elements: inout Int,
        depth: Int
    ) throws(WireError) -> Int {
        let start = offset
        let deepest = min(limits.valueDepth, IPCLimits.deepestNesting)
        guard depth < deepest else {
            throw WireError(.tooDeep, at: start, allowed: deepest)
        }
        offset += 1
        let count = try VQL.readCount(bytes, at: &offset)
        let left = bytes.count - offset
        // Every element takes a byte at least.
        guard count <= left else {
            throw WireError(.countExceedsInput, at: start, found: count, allowed: left)
        }
        elements += count
        guard elements <= limits.valueElements else {
            throw WireError(.tooManyElements, at: start, found: elements, allowed: limits.valueElements)
        }
        return count
    }
}
