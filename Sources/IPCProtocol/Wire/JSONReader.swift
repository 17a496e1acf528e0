// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Builds a value from JSON text that a ``JSONValidator`` has accepted.
///
/// Because it was accepted, there is nothing left to refuse here; recursion is as deep as the nesting that was allowed.
struct JSONReader {
    private var position: Int
    /// Where the text ends; what follows it in the message may look like more of a number.
    private let end: Int

    init(range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// Reads a value; ends behind it.
    mutating func readValue(_ bytes: Span<UInt8>) -> IPCValue {
        skipSpace(bytes)
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object(readObject(bytes))
        case UInt8(ascii: "["): return .array(readArray(bytes))
        case UInt8(ascii: "\""): return .string(readString(bytes))
        case UInt8(ascii: "t"):
            position += 4
            return .bool(true)
        case UInt8(ascii: "f"):
            position += 5
            return .bool(false)
        case UInt8(ascii: "n"):
            position += 4
            return .null
        default: return readNumber(bytes)
        }
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        // Space, tab, line feed and carriage return are the only bytes up to 0x20 that the validator lets stand here.
        while bytes[position] <= 0x20 {
            position += 1
        }
    }

    private mutating func readArray(_ bytes: Span<UInt8>) -> [IPCValue] {
        var elements: [IPCValue] = []
        position += 1
        skipSpace(bytes)
        while bytes[position] != UInt8(ascii: "]") {
            elements.append(readValue(bytes))
            skipSeparator(bytes)
        }
        position += 1
        return elements
    }

    private mutating func readObject(_ bytes: Span<UInt8>) -> IPCObject {
        var members: [IPCObject.Member] = []
        position += 1
        skipSpace(bytes)
        while bytes[position] != UInt8(ascii: "}") {
            let key = readString(bytes)
            skipSpace(bytes)
            position += 1
            members.append(IPCObject.Member(key: key, value: readValue(bytes)))
            skipSeparator(bytes)
        }
        position += 1
        return IPCObject(members)
    }

    /// Skips a comma and the space around it; stays at a closing bracket.
    private mutating func skipSeparator(_ bytes: Span<UInt8>) {
        skipSpace(bytes)
        if bytes[position] == UInt8(ascii: ",") {
            position += 1
            skipSpace(bytes)
        }
    }

    private mutating func readString(_ bytes: Span<UInt8>) -> IPCString {
        var builder = IPCString.Builder()
        position += 1
        var start = position
        while true {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                builder.append(bytes, in: start..<position)
                position += 1
                return IPCString(wellFormed: builder.bytes)
            case UInt8(ascii: "\\"):
                builder.append(bytes, in: start..<position)
                builder.append(unit: readEscape(bytes))
                start = position
            default:
                position += 1
            }
        }
    }

    private mutating func readEscape(_ bytes: Span<UInt8>) -> UInt16 {
        let kind = bytes[position + 1]
        position += 2
        switch kind {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            var unit: UInt16 = 0
            for index in position..<position + 4 {
                unit = unit << 4 | (HexDigit.value(of: bytes[index]) ?? 0)
            }
            position += 4
            return unit
        default: return UInt16(kind)
        }
    }

    private mutating func readNumber(_ bytes: Span<UInt8>) -> IPCValue {
        let start = position
        var integer = 0
        var isPlain = true
        scan: while position < end {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // The first digits suffice for the short way; for longer numbers this is not used.
                if position - start < 15 {
                    integer = integer * 10 + Int(bytes[position] - UInt8(ascii: "0"))
                }
            case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                isPlain = false
            default:
                break scan
            }
            position += 1
        }
        if isPlain, position - start <= 15 {
            return IPCValue(integer)
        }
        let text = String(decoding: [UInt8](copying: bytes, in: start..<position), as: UTF8.self)
        return IPCValue(Double(text) ?? .nan)
    }
}
