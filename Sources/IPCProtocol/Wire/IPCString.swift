// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Text as JavaScript has it: Unicode, and possibly surrogates without a partner.
///
/// Kept as UTF-8; a lone surrogate as the three bytes UTF-8 would give it if it were allowed (WTF-8). Two texts are equal
/// when their bytes are: Swift's `String` calls "é" and "e\u{301}" equal, which to VS Code are two different names.
public struct IPCString: Sendable, Hashable {
    /// The bytes of the text: UTF-8, and three bytes (`ed a0…bf 80…bf`) for each lone surrogate.
    public let wtf8: [UInt8]

    /// Creates text from a string.
    public init(_ string: String) {
        wtf8 = Array(string.utf8)
    }

    /// Creates text from UTF-16 code units, as JavaScript counts them; any sequence of them is text.
    public init(utf16 units: some Sequence<UInt16>) {
        var builder = Builder()
        for unit in units {
            builder.append(unit: unit)
        }
        wtf8 = builder.bytes
    }

    /// Creates text from UTF-8, replacing what is invalid as Node does: one U+FFFD for each maximal subpart.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - range: Where in it the text is.
    public init(repairing bytes: Span<UInt8>, in range: Range<Int>) {
        let copy = [UInt8](copying: bytes, in: range)
        if UTF8Check.firstInvalid(in: bytes, from: range.lowerBound, to: range.upperBound) == nil {
            wtf8 = copy
        } else {
            wtf8 = Array(String(decoding: copy, as: UTF8.self).utf8)
        }
    }

    /// Takes bytes that are known to be well-formed WTF-8.
    init(wellFormed bytes: [UInt8]) {
        wtf8 = bytes
    }

    /// The text as a string; nil when it holds a lone surrogate, which a `String` cannot.
    public var string: String? {
        hasLoneSurrogate ? nil : String(decoding: wtf8, as: UTF8.self)
    }

    /// Whether the text holds a surrogate without a partner.
    public var hasLoneSurrogate: Bool {
        UTF8Check.firstInvalid(in: wtf8.span, from: 0, to: wtf8.count) != nil
    }

    /// The text as UTF-8, each lone surrogate replaced by U+FFFD: what tag 1 carries.
    public var repairedUTF8: [UInt8] {
        var output = wtf8
        var start = 0
        while let invalid = UTF8Check.firstInvalid(in: output.span, from: start, to: output.count) {
            output[invalid] = 0xef
            output[invalid + 1] = 0xbf
            output[invalid + 2] = 0xbd
            start = invalid + 3
        }
        return output
    }

    /// The number this text is as an index of an array, or nil.
    ///
    /// JavaScript puts members with such keys first: decimal digits without leading zero, below 2³²−1.
    var arrayIndex: UInt32? {
        guard let first = wtf8.first, wtf8.count <= 10, first != UInt8(ascii: "0") || wtf8.count == 1 else {
            return nil
        }
        var value: UInt64 = 0
        for byte in wtf8 {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return value < UInt64(UInt32.max) ? UInt32(value) : nil
    }
}

extension IPCString: ExpressibleByStringLiteral {
    /// Creates text from a literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension IPCString: CustomStringConvertible {
    /// The text, each lone surrogate replaced by U+FFFD.
    public var description: String {
        String(decoding: repairedUTF8, as: UTF8.self)
    }
}

extension IPCString {
    /// Collects text from UTF-8 and from UTF-16 code units, pairing surrogates that meet.
    struct Builder {
        private(set) var bytes: [UInt8] = []
        /// A high surrogate whose partner may come next.
        private var pending: UInt16?

        /// Appends one UTF-16 code unit.
        mutating func append(unit: UInt16) {
            let isLow = unit >= 0xdc00 && unit <= 0xdfff
            if let high = pending, isLow {
                bytes.removeLast(3)
                pending = nil
                append(codePoint: 0x10000 + (UInt32(high) - 0xd800) << 10 + (UInt32(unit) - 0xdc00))
                return
            }
            append(codePoint: UInt32(unit))
            pending = unit >= 0xd800 && unit <= 0xdbff ? unit : nil
        }

        /// Appends valid UTF-8.
        mutating func append(_ source: Span<UInt8>, in range: Range<Int>) {
            guard !range.isEmpty else { return }
            pending = nil
            bytes.append(copying: source, in: range)
        }

        private mutating func append(codePoint: UInt32) {
            func tail(_ shift: UInt32) -> UInt8 {
                0x80 | UInt8(truncatingIfNeeded: codePoint >> shift) & 0x3f
            }
            switch codePoint {
            case 0..<0x80:
                bytes.append(UInt8(codePoint))
            case 0x80..<0x800:
                bytes.append(0xc0 | UInt8(codePoint >> 6))
                bytes.append(tail(0))
            case 0x800..<0x10000:
                bytes.append(0xe0 | UInt8(codePoint >> 12))
                bytes.append(tail(6))
                bytes.append(tail(0))
            default:
                bytes.append(0xf0 | UInt8(codePoint >> 18))
                bytes.append(tail(12))
                bytes.append(tail(6))
                bytes.append(tail(0))
            }
        }
    }
}
