// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Reads JSON as RFC 8259 has it, without anything of the library.
struct StrictJSON {
    private let bytes: [UInt8]
    private let maxDepth: Int
    private var position = 0
    /// Whether an object had a key twice.
    private(set) var hasDuplicates = false

    init(_ bytes: [UInt8], maxDepth: Int = 512) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    mutating func readOnly() -> Tree? {
        guard String(validating: bytes, as: UTF8.self) != nil, let value = readValue(depth: 0) else { return nil }
        skipSpace()
        return position == bytes.count ? value : nil
    }

    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while [0x20, 0x09, 0x0a, 0x0d].contains(next) { position += 1 }
    }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func readValue(depth: Int) -> Tree? {
        skipSpace()
        if take("null") { return .null }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if next == UInt8(ascii: "\"") { return readString().map(Tree.text) }
        if next != UInt8(ascii: "["), next != UInt8(ascii: "{") { return readNumber() }
        guard depth < maxDepth else { return nil }
        return take("[") ? readArray(depth: depth + 1) : readObject(depth: depth + 1)
    }

    private mutating func readArray(depth: Int) -> Tree? {
        var elements: [Tree] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            guard let element = readValue(depth: depth) else { return nil }
            elements.append(element)
            skipSpace()
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func readObject(depth: Int) -> Tree? {
        var members: [[UInt8]: Tree] = [:]
        position += 1
        skipSpace()
        if take("}") { return .object([:]) }
        repeat {
            skipSpace()
            guard let key = readString() else { return nil }
            skipSpace()
            guard take(":"), let value = readValue(depth: depth) else { return nil }
            if members.updateValue(value, forKey: key) != nil { hasDuplicates = true }
            skipSpace()
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func readNumber() -> Tree? {
        let start = position
        _ = take("-")
        if !take("0") { guard digits() else { return nil } }
        if take(".") { guard digits() else { return nil } }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard digits() else { return nil }
        }
        return Double(String(decoding: bytes[start..<position], as: UTF8.self)).map(Tree.number)
    }

    private mutating func digits() -> Bool {
        let start = position
        while (0x30...0x39).contains(next) { position += 1 }
        return position > start
    }

    /// The text as UTF-16, so that surrogates meet, and then as bytes.
    private mutating func readString() -> [UInt8]? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        var start = position
        func plain(_ end: Int) -> [UInt16] { Array(String(decoding: bytes[start..<end], as: UTF8.self).utf16) }
        while position < bytes.count {
            let byte = next
            if byte < 0x20 { return nil }
            position += 1
            if byte == UInt8(ascii: "\"") { return Self.bytes(of: units + plain(position - 1)) }
            guard byte == UInt8(ascii: "\\") else { continue }
            units += plain(position - 1)
            guard let unit = readEscape() else { return nil }
            units.append(unit)
            start = position
        }
        return nil
    }

    private mutating func readEscape() -> UInt16? {
        let kind = next
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(kind)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"):
            let digits = bytes[position...].prefix(4)
            guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { return nil }
            position += 4
            return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        default: return nil
        }
    }

    private static func bytes(of units: [UInt16]) -> [UInt8] {
        var bytes: [UInt8] = []
        var place = 0
        while place < units.count {
            let unit = UInt32(units[place])
            let low = place + 1 < units.count ? UInt32(units[place + 1]) : 0
            place += 1
            if (0xd800...0xdbff).contains(unit), (0xdc00...0xdfff).contains(low) {
                place += 1
                let scalar = 0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff
                bytes += [0xf0 | UInt8(scalar >> 18), 0x80 | UInt8(scalar >> 12 & 0x3f)]
                bytes += [0x80 | UInt8(scalar >> 6 & 0x3f), 0x80 | UInt8(scalar & 0x3f)]
            } else if unit < 0x80 {
                bytes.append(UInt8(unit))
            } else if unit < 0x800 {
                bytes += [0xc0 | UInt8(unit >> 6), 0x80 | UInt8(unit & 0x3f)]
            } else {
                bytes += [0xe0 | UInt8(unit >> 12), 0x80 | UInt8(unit >> 6 & 0x3f), 0x80 | UInt8(unit & 0x3f)]
            }
        }
        return bytes
    }
}
