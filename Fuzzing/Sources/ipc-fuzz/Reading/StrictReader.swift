// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Reads encoded values strictly, written from the description of the format alone (docs/protocol.md) and without anything
/// of the library but its limits. Slow and simple on purpose.
struct StrictReader {
    let bytes: [UInt8]
    private let limits: IPCLimits
    private(set) var position: Int
    private var elements: Int
    /// Whether a value was JSON, which has many spellings.
    private(set) var hasJSON = false
    /// Whether an object had a key twice.
    private(set) var hasDuplicates = false

    init(_ bytes: [UInt8], at position: Int = 0, elements: Int = 0, limits: IPCLimits = IPCLimits()) {
        self.bytes = bytes
        self.position = position
        self.elements = elements
        self.limits = limits
    }

    /// The only value of the input.
    mutating func readOnly() -> Tree? {
        guard let value = readValue(), position == bytes.count else { return nil }
        return value
    }

    mutating func readValue(depth: Int = 0) -> Tree? {
        guard let tag = byte() else { return nil }
        switch tag {
        case 0: return .undefined
        case 1:
            guard let text = extent(), String(validating: text, as: UTF8.self) != nil else { return nil }
            return .text(text)
        case 2, 3:
            return extent().map { .bytes(tag: tag, $0) }
        case 4:
            guard depth < limits.valueDepth, let count = length(), count <= bytes.count - position else { return nil }
            elements += count
            guard elements <= limits.valueElements else { return nil }
            var array: [Tree] = []
            for _ in 0..<count {
                guard let element = readValue(depth: depth + 1) else { return nil }
                array.append(element)
            }
            return .array(array)
        case 5:
            guard let text = extent() else { return nil }
            hasJSON = true
            var reader = StrictJSON(text, maxDepth: limits.jsonDepth)
            defer { if reader.hasDuplicates { hasDuplicates = true } }
            return reader.readOnly()
        case 6:
            return integer().map { .number(Double($0)) }
        default:
            return nil
        }
    }

    private mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        position += 1
        return bytes[position - 1]
    }

    /// A signed 32-bit number in groups of seven bits, the lowest first, in as few bytes as it needs.
    mutating func integer() -> Int32? {
        var groups: [UInt8] = []
        repeat {
            guard groups.count < 5, let group = byte() else { return nil }
            groups.append(group)
        } while groups[groups.count - 1] >= 0x80
        if groups.count > 1, groups[groups.count - 1] == 0 { return nil }
        let value = groups.reversed().reduce(UInt64(0)) { $0 << 7 | UInt64($1 & 0x7f) }
        return UInt32(exactly: value).map { Int32(bitPattern: $0) }
    }

    private mutating func length() -> Int? {
        guard let number = integer(), number >= 0 else { return nil }
        return Int(number)
    }

    private mutating func extent() -> [UInt8]? {
        guard let count = length(), count <= bytes.count - position else { return nil }
        position += count
        return Array(bytes[position - count..<position])
    }
}
