// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Percent-encoding as VS Code's `URI` does it.
enum PercentCoding {
    /// The characters left as they are in a part of a URI, besides the unreserved ones (RFC 3986, 2.3).
    enum Part: String {
        case path = "/"
        case authority = "[]:"
        case other = ""
    }

    /// Returns text with everything encoded that could mean something else in its place.
    static func encode(_ text: some Sequence<UInt8>, as part: Part) -> String {
        let allowed = part.rawValue.utf8
        var output: [UInt8] = []
        for byte in text {
            if isUnreserved(byte) || allowed.contains(byte) {
                output.append(byte)
            } else {
                output.append(UInt8(ascii: "%"))
                output.append(hexDigit(byte >> 4))
                output.append(hexDigit(byte & 0x0f))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Returns text with its escapes decoded.
    ///
    /// Of a run of escapes that is not UTF-8 as a whole, VS Code leaves as many from the start undecoded as it takes for
    /// the rest to be UTF-8.
    static func decode(_ text: ArraySlice<UInt8>) -> String {
        var output: [UInt8] = []
        var rest = text
        while let byte = rest.first {
            let run = escapes(rest)
            if run.isEmpty {
                output.append(byte)
                rest = rest.dropFirst()
                continue
            }
            let start = decodableStart(run)
            output.append(contentsOf: rest.prefix(start * 3))
            output.append(contentsOf: run[start...].compactMap(\.self))
            rest = rest.dropFirst(run.count * 3)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "-._~".utf8.contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") - 10 + nibble
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Returns the bytes of the escapes a text starts with; nil for one with letters that are no hexadecimal digits,
    /// which VS Code takes for part of the run all the same.
    private static func escapes(_ text: ArraySlice<UInt8>) -> [UInt8?] {
        var bytes: [UInt8?] = []
        var place = text.startIndex
        while place + 2 < text.endIndex, text[place] == UInt8(ascii: "%"), isAlphanumeric(text[place + 1]),
            isAlphanumeric(text[place + 2])
        {
            if let high = nibble(text[place + 1]), let low = nibble(text[place + 2]) {
                bytes.append(high << 4 | low)
            } else {
                bytes.append(nil)
            }
            place += 3
        }
        return bytes
    }

    /// Returns the first place from which the bytes are UTF-8 up to their end.
    private static func decodableStart(_ bytes: [UInt8?]) -> Int {
        // From the end, so that the time is linear: a place is good when a character starts there and the place after
        // it is good.
        var isGood = [Bool](repeating: false, count: bytes.count + 1)
        isGood[bytes.count] = true
        var first = bytes.count
        for place in bytes.indices.reversed() {
            guard let length = characterLength(bytes[place...]), isGood[place + length] else { continue }
            isGood[place] = true
            first = place
        }
        return first
    }

    /// Returns how many bytes the character has that the bytes start with; nil when they do not start with one.
    private static func characterLength(_ bytes: ArraySlice<UInt8?>) -> Int? {
        guard let lead = bytes.first ?? nil else { return nil }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch lead {
        case 0..<0x80: return 1
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef: length = 3
        case 0xf0...0xf4: length = 4
        default: return nil
        }
        switch lead {
        case 0xe0: second = 0xa0...0xbf
        case 0xed: second = 0x80...0x9f
        case 0xf0: second = 0x90...0xbf
        case 0xf4: second = 0x80...0x8f
        default: break
        }
        guard bytes.count >= length else { return nil }
        let tail = bytes.dropFirst().prefix(length - 1)
        guard let next = tail.first ?? nil, second.contains(next) else { return nil }
        return tail.allSatisfy { $0.map { (0x80...0xbf).contains($0) } ?? false } ? length : nil
    }
}
