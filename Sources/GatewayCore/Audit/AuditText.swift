// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import TLSEngine

/// JSON in the making: members of an object, appended to one array of bytes.
///
/// Text is escaped so that every reader can take it and no terminal obeys it; what is not UTF-8, surrogates without a
/// partner included, becomes U+FFFD.
struct AuditText {
    /// Longer texts are cut: names may have 16 MiB.
    static let longestText = 4096

    private(set) var bytes: [UInt8] = []
    /// Whether a text has been cut.
    private(set) var isCut = false

    /// - Parameter capacity: Bytes for which there is room without another allocation.
    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    // MARK: Members

    private mutating func key(_ key: AuditKey) {
        bytes.append(contentsOf: key.bytes)
    }

    mutating func member(_ name: AuditKey, _ value: String) {
        key(name)
        isCut = Self.append(cutting: value.utf8.span, to: &bytes) || isCut
    }

    /// Nothing for nil.
    mutating func member(_ name: AuditKey, _ value: String?) {
        if let value { member(name, value) }
    }

    mutating func member(_ name: AuditKey, _ value: Span<UInt8>) {
        key(name)
        isCut = Self.append(cutting: value, to: &bytes) || isCut
    }

    mutating func member(_ name: AuditKey, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
    }

    mutating func member(_ name: AuditKey, _ value: Int) {
        key(name)
        Self.append(value, to: &bytes)
    }

    /// A member whose value is JSON already.
    mutating func member(_ name: AuditKey, raw json: [UInt8]) {
        key(name)
        append(json)
    }

    /// A member that is an object with other members.
    mutating func member(_ name: AuditKey, object: AuditText) {
        key(name)
        append("{")
        bytes.append(contentsOf: object.bytes.dropFirst())
        append("}")
        isCut = object.isCut || isCut
    }

    /// A member with a context: a text, or an object of texts. What is neither is null, and no entry gives it.
    mutating func member(_ name: AuditKey, context: IPCValue) {
        switch context {
        case .string(let text): member(name, text.wtf8.span)
        case .object(let object):
            key(name)
            append("{")
            for (index, member) in object.members.enumerated() {
                if index > 0 { append(",") }
                isCut = Self.append(cutting: member.key.wtf8.span, to: &bytes) || isCut
                append(":")
                guard case .string(let text) = member.value else {
                    append("null")
                    continue
                }
                isCut = Self.append(cutting: text.wtf8.span, to: &bytes) || isCut
            }
            append("}")
        default: member(name, raw: Array("null".utf8))
        }
    }

    /// A member that is an object with lists of texts, in the order of the fields; nothing when there is none.
    mutating func member(_ name: AuditKey, fields: [IdentityField: [String]]) {
        guard !fields.isEmpty else { return }
        var inner = AuditText(capacity: 128)
        for field in IdentityField.allCases {
            guard let values = fields[field] else { continue }
            inner.member(AuditKey(field), values)
        }
        member(name, object: inner)
    }

    private mutating func member(_ name: AuditKey, _ values: [String]) {
        key(name)
        append("[")
        for (index, value) in values.enumerated() {
            if index > 0 { append(",") }
            isCut = Self.append(cutting: value.utf8.span, to: &bytes) || isCut
        }
        append("]")
    }

    /// A point in time, in nanoseconds since 1970, with microseconds.
    mutating func member(_ name: AuditKey, nanoseconds: Int64) {
        key(name)
        let second: Int64 = 1_000_000_000
        let fraction = (nanoseconds % second + second) % second
        bytes.append(UInt8(ascii: "\""))
        UTCTime.append((nanoseconds - fraction) / second, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(UInt64(fraction / 1000), width: 6, to: &bytes)
        append("Z\"")
    }

    /// The member `milliseconds`, with microseconds behind the point.
    mutating func milliseconds(from start: UInt64, to end: UInt64) {
        key(.milliseconds)
        let microseconds = end > start ? (end - start) / 1000 : 0
        Self.append(microseconds / 1000, width: 1, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(microseconds % 1000, width: 3, to: &bytes)
    }

    // MARK: Numbers

    private static func append(_ number: Int, to output: inout [UInt8]) {
        if number < 0 { output.append(UInt8(ascii: "-")) }
        append(UInt64(number.magnitude), width: 1, to: &output)
    }

    private static func append(_ number: UInt64, width: Int, to output: inout [UInt8]) {
        if number > 9 || width > 1 { append(number / 10, width: width - 1, to: &output) }
        output.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    // MARK: Texts

    /// Appends a text in quotes, cut after `longestText` bytes.
    ///
    /// - Returns: Whether it has been cut.
    private static func append(cutting text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
        let isTooLong = text.count > longestText
        append(text.extracting(..<(isTooLong ? cut(text, at: longestText) : text.count)), to: &output)
        return isTooLong
    }

    /// The greatest offset up to `bound` that does not split a character.
    static func cut(_ text: Span<UInt8>, at bound: Int) -> Int {
        guard bound < text.count else { return text.count }
        var offset = bound
        while offset > 0, bound - offset < 3, text[offset] & 0xc0 == 0x80 { offset -= 1 }
        return offset
    }

    /// Appends a text in quotes, escaped.
    static func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var start = 0
        var position = 0
        while position < text.count {
            let length = AuditEscape.plainLength(in: text, at: position)
            if length > 0 {
                position += length
                continue
            }
            output.append(copying: text, in: start..<position)
            position += AuditEscape.append(in: text, at: position, to: &output)
            start = position
        }
        output.append(copying: text, in: start..<position)
        output.append(UInt8(ascii: "\""))
    }
}
