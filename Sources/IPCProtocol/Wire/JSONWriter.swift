// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Writes values as `JSON.stringify` does (PROTOCOL 2.3).
enum JSONWriter {
    static func append(_ value: IPCValue, to output: inout [UInt8]) {
        switch value {
        case .undefined, .null: appendText("null", to: &output)
        case .bool(let bool): appendText(bool ? "true" : "false", to: &output)
        case .int(let int): appendText(String(int), to: &output)
        case .number(let double): appendNumber(double, to: &output)
        case .string(let text): appendString(text, to: &output)
        case .buffer(let bytes): appendBuffer(bytes, to: &output)
        case .vsBuffer(let bytes):
            appendText(#"{"buffer":"#, to: &output)
            appendBuffer(bytes, to: &output)
            appendText(#","byteLength":\#(bytes.count)}"#, to: &output)
        case .array(let elements): appendArray(elements, to: &output)
        case .object(let object): appendObject(object, to: &output)
        }
    }

    private static func appendText(_ text: String, to output: inout [UInt8]) {
        output.append(contentsOf: text.utf8)
    }

    private static func appendArray(_ elements: [IPCValue], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst {
                output.append(UInt8(ascii: ","))
            }
            isFirst = false
            append(element, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private static func appendObject(_ object: IPCObject, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        for member in object.members where member.value != .undefined {
            if !isFirst {
                output.append(UInt8(ascii: ","))
            }
            isFirst = false
            appendString(member.key, to: &output)
            output.append(UInt8(ascii: ":"))
            append(member.value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private static func appendBuffer(_ bytes: [UInt8], to output: inout [UInt8]) {
        appendText(#"{"type":"Buffer","data":["#, to: &output)
        var isFirst = true
        for byte in bytes {
            if !isFirst {
                output.append(UInt8(ascii: ","))
            }
            isFirst = false
            appendText(String(byte), to: &output)
        }
        appendText("]}", to: &output)
    }

    /// Writes a string. Lone surrogates, three bytes starting with `ed a0` to `ed bf`, become escapes.
    static func appendString(_ text: IPCString, to output: inout [UInt8]) {
        let bytes = text.wtf8
        output.reserveCapacity(output.count + bytes.count + 2)
        output.append(UInt8(ascii: "\""))
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x08: appendText("\\b", to: &output)
            case 0x09: appendText("\\t", to: &output)
            case 0x0a: appendText("\\n", to: &output)
            case 0x0c: appendText("\\f", to: &output)
            case 0x0d: appendText("\\r", to: &output)
            case 0..<0x20:
                appendEscape(UInt16(byte), to: &output)
            case 0xed where bytes[position + 1] >= 0xa0:
                let unit = UInt16(bytes[position + 1] & 0x3f) << 6 | UInt16(bytes[position + 2] & 0x3f)
                appendEscape(0xd000 | unit, to: &output)
                position += 2
            default:
                output.append(byte)
            }
            position += 1
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(_ unit: UInt16, to output: inout [UInt8]) {
        appendText("\\u", to: &output)
        for shift in [12, 8, 4, 0] as [UInt16] {
            output.append(HexDigit.lowercase(unit >> shift))
        }
    }

    /// Writes a number as JavaScript prints it: the shortest digits that read back as the same number.
    static func appendNumber(_ double: Double, to output: inout [UInt8]) {
        guard double.isFinite else {
            return appendText("null", to: &output)
        }
        guard double != 0 else {
            return output.append(UInt8(ascii: "0"))
        }
        if double < 0 {
            output.append(UInt8(ascii: "-"))
        }
        let (digits, point) = decimal(double.magnitude)
        let count = digits.count
        switch point {
        case count...21 where count <= 21:
            output.append(contentsOf: digits)
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: point - count))
        case 1...21:
            output.append(contentsOf: digits[..<point])
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[point...])
        case -5...0:
            appendText("0.", to: &output)
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            output.append(contentsOf: digits)
        default:
            output.append(digits[0])
            if count > 1 {
                output.append(UInt8(ascii: "."))
                output.append(contentsOf: digits[1...])
            }
            appendText(point > 0 ? "e+\(point - 1)" : "e\(point - 1)", to: &output)
        }
    }

    /// Returns the shortest digits d₁…dₖ of a positive number, and n where the number is 0.d₁…dₖ × 10ⁿ.
    private static func decimal(_ double: Double) -> (digits: [UInt8], point: Int) {
        // Swift prints the same shortest digits, only arranged differently: "1e-07", "100000.0".
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        var rest = Substring(double.description)
        if let mark = rest.firstIndex(of: "e") {
            exponent = Int(rest[rest.index(after: mark)...]) ?? 0
            rest = rest[..<mark]
        }
        for byte in rest.utf8 {
            if byte == UInt8(ascii: ".") {
                point = digits.count
            } else {
                digits.append(byte)
            }
        }
        let significant = digits.firstIndex { $0 != UInt8(ascii: "0") } ?? 0
        let place = (point ?? digits.count) + exponent - significant
        digits.removeFirst(significant)
        while digits.count > 1, digits.last == UInt8(ascii: "0") {
            digits.removeLast()
        }
        return (digits, place)
    }
}
