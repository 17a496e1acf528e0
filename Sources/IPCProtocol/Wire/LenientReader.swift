// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Reads values the way VS Code's own reader does, quirks included (PROTOCOL 2.1, 2.4, 2.5).
struct LenientReader {
    private(set) var position: Int
    private let limits: IPCLimits
    private var elements = 0

    init(position: Int, limits: IPCLimits) {
        self.position = position
        self.limits = limits
    }

    /// Reads a value inside `depth` arrays; ends behind it.
    mutating func readValue(_ bytes: Span<UInt8>, depth: Int) throws(WireError) -> IPCValue {
        let start = position
        guard position < bytes.count else {
            return .undefined
        }
        let tag = bytes[position]
        position += 1
        switch tag {
        case ValueTag.string:
            return .string(IPCString(repairing: bytes, in: readExtent(bytes)))
        case ValueTag.buffer:
            return .buffer([UInt8](copying: bytes, in: readExtent(bytes)))
        case ValueTag.vsBuffer:
            return .vsBuffer([UInt8](copying: bytes, in: readExtent(bytes)))
        case ValueTag.array:
            return .array(try readArray(bytes, from: start, depth: depth))
        case ValueTag.object:
            return try readObject(bytes)
        case ValueTag.int:
            return .int(readVQL(bytes))
        default:
            return .undefined
        }
    }

    private mutating func readArray(
        _ bytes: Span<UInt8>,
        from start: Int,
        depth: Int
    ) throws(WireError) -> [IPCValue] {
        let deepest = min(limits.valueDepth, IPCLimits.deepestNesting)
        guard depth < deepest else {
            throw WireError(.tooDeep, at: start, allowed: deepest)
        }
        let count = max(0, Int(readVQL(bytes)))
        elements += count
        guard elements <= limits.valueElements else {
            throw WireError(.tooManyElements, at: start, found: elements, allowed: limits.valueElements)
        }
        var values: [IPCValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            values.append(try readValue(bytes, depth: depth + 1))
        }
        return values
    }

    private mutating func readObject(_ bytes: Span<UInt8>) throws(WireError) -> IPCValue {
        let extent = readExtent(bytes)
        if UTF8Check.firstInvalid(in: bytes, from: extent.lowerBound, to: extent.upperBound) == nil {
            return try JSONText.parse(bytes, in: extent, maxDepth: limits.jsonDepth)
        }
        // VS Code turns the bytes into text before it parses, so invalid UTF-8 is not an error inside strings.
        let text = IPCString(repairing: bytes, in: extent).wtf8
        return try JSONText.parse(text.span, in: 0..<text.count, maxDepth: limits.jsonDepth)
    }

    /// Reads a number of any length: the shift wraps at 32, and the end of the input ends it.
    private mutating func readVQL(_ bytes: Span<UInt8>) -> Int32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            // `&<<` takes the shift modulo 32, as JavaScript's `<<` does.
            value |= UInt32(byte & 0x7f) &<< shift
            if byte < 0x80 {
                break
            }
            shift &+= 7
        }
        return Int32(bitPattern: value)
    }

    /// Reads a length as JavaScript's `slice(position, position + length)` would use it; moves behind what that yields.
    private mutating func readExtent(_ bytes: Span<UInt8>) -> Range<Int> {
        let length = Int(readVQL(bytes))
        var end = position + length
        if end < 0 {
            end += bytes.count
        }
        end = min(max(end, position), bytes.count)
        let extent = position..<end
        position = end
        return extent
    }
}
