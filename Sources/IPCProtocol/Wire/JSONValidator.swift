// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Checks JSON text iteratively, without building anything.
struct JSONValidator {
    private var position: Int
    private let end: Int
    private let maxDepth: Int
    private var nesting = Nesting()

    init(range: Range<Int>, maxDepth: Int) {
        position = range.lowerBound
        end = range.upperBound
        self.maxDepth = maxDepth
    }

    /// Which of the open containers are objects: a stack of bits, the first 64 without allocation.
    private struct Nesting {
        private(set) var depth = 0
        private var low: UInt64 = 0
        private var spill: [Bool] = []

        var innermostIsObject: Bool {
            depth > 64 ? spill[depth - 65] : low & (1 &<< UInt64(depth - 1)) != 0
        }

        mutating func push(object: Bool) {
            if depth >= 64 {
                spill.append(object)
            } else {
                let bit: UInt64 = 1 &<< UInt64(depth)
                low = object ? low | bit : low & ~bit
            }
            depth += 1
        }

        mutating func pop() {
            if depth > 64 {
                spill.removeLast()
            }
            depth -= 1
        }
    }

    /// Checks that the text is one value and nothing else.
    mutating func validate(_ bytes: Span<UInt8>) throws(WireError) {
        repeat {
            try validateValueStart(bytes)
        } while try moveToNextValue(bytes)
        guard position == end else {
            throw WireError(.invalidJSON, at: position)
        }
    }

    /// Reads a scalar whole, or containers up to the first value inside, or an empty container.
    private mutating func validateValueStart(_ bytes: Span<UInt8>) throws(WireError) {
        while true {
            skipSpace(bytes)
            guard position < end else {
                throw WireError(.invalidJSON, at: position)
            }
            switch bytes[position] {
            case UInt8(ascii: "{"):
                try open(object: true)
                skipSpace(bytes)
                if position < end, bytes[position] == UInt8(ascii: "}") {
                    return close()
                }
                try validateKey(bytes)
            case UInt8(ascii: "["):
                try open(object: false)
                skipSpace(bytes)
                if position < end, bytes[position] == UInt8(ascii: "]") {
                    return close()
                }
            case UInt8(ascii: "\""):
                return try validateString(bytes)
            case UInt8(ascii: "t"):
                return try validateWord(0x74_72_75_65, length: 4, in: bytes)
            case UInt8(ascii: "f"):
                return try validateWord(0x66_61_6c_73_65, length: 5, in: bytes)
            case UInt8(ascii: "n"):
                return try validateWord(0x6e_75_6c_6c, length: 4, in: bytes)
            default:
                return try validateNumber(bytes)
            }
        }
    }

    /// Closes what ends here; returns whether another value has to follow.
    private mutating func moveToNextValue(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        while true {
            skipSpace(bytes)
            guard nesting.depth > 0 else {
                return false
            }
            guard position < end else {
                throw WireError(.invalidJSON, at: position)
            }
            let isObject = nesting.innermostIsObject
            switch bytes[position] {
            case UInt8(ascii: ","):
                position += 1
                if isObject {
                    skipSpace(bytes)
                    try validateKey(bytes)
                }
                return true
            case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                close()
            default:
                throw WireError(.invalidJSON, at: position)
            }
        }
    }

    private mutating func open(object: Bool) throws(WireError) {
        guard nesting.depth < maxDepth else {
            throw WireError(.tooDeep, at: position, allowed: maxDepth)
        }
        nesting.push(object: object)
        position += 1
    }

    private mutating func close() {
        nesting.pop()
        position += 1
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func validateKey(_ bytes: Span<UInt8>) throws(WireError) {
        try validateString(bytes)
        skipSpace(bytes)
        guard position < end, bytes[position] == UInt8(ascii: ":") else {
            throw WireError(.invalidJSON, at: position)
        }
        position += 1
    }

    private mutating func validateString(_ bytes: Span<UInt8>) throws(WireError) {
        guard position < end, bytes[position] == UInt8(ascii: "\"") else {
            throw WireError(.invalidJSON, at: position)
        }
        position += 1
        var run = 0
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                try validateEscape(bytes)
            case 0..<0x20:
                throw WireError(.invalidJSON, at: position)
            case 0x80...:
                let length = UTF8Check.sequenceLength(in: bytes, at: position, to: end)
                guard length > 0 else {
                    throw WireError(.invalidUTF8, at: position)
                }
                position += length
            default:
                position += 1
                // Most strings are short. Only where one has gone on for a while are blocks worth a try.
                run += 1
                if run & 0xf == 0 {
                    skipPlainBlocks(bytes)
                }
            }
        }
        throw WireError(.invalidJSON, at: position)
    }

    /// Skips blocks of 32 bytes that hold only ASCII that stands for itself; a block is a few vector operations.
    private mutating func skipPlainBlocks(_ bytes: Span<UInt8>) {
        while end - position >= 32 {
            let block = bytes.extracting(position..<position + 32)
            var special: UInt8 = 0
            for index in block.indices {
                let byte = block[index]
                // Without branches, or the compiler would not make vectors of it.
                special |= byte &- 0x20 >= 0x60 ? 1 : 0
                special |= byte == UInt8(ascii: "\"") ? 1 : 0
                special |= byte == UInt8(ascii: "\\") ? 1 : 0
            }
            if special != 0 {
                return
            }
            position += 32
        }
    }

    private mutating func validateEscape(_ bytes: Span<UInt8>) throws(WireError) {
        let escape = position
        guard escape + 1 < end else {
            throw WireError(.invalidJSON, at: escape)
        }
        switch bytes[escape + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard escape + 6 <= end else {
                throw WireError(.invalidJSON, at: escape)
            }
            for index in escape + 2..<escape + 6 where HexDigit.value(of: bytes[index]) == nil {
                throw WireError(.invalidJSON, at: index)
            }
            position += 6
        default:
            throw WireError(.invalidJSON, at: escape)
        }
    }

    /// Checks a word that is given as its bytes, packed into one number.
    private mutating func validateWord(_ word: UInt64, length: Int, in bytes: Span<UInt8>) throws(WireError) {
        guard end - position >= length else {
            throw WireError(.invalidJSON, at: position)
        }
        var found: UInt64 = 0
        for index in position..<position + length {
            found = found &<< 8 | UInt64(bytes[index])
        }
        guard found == word else {
            throw WireError(.invalidJSON, at: position)
        }
        position += length
    }

    private mutating func validateNumber(_ bytes: Span<UInt8>) throws(WireError) {
        let first = position
        if bytes[position] == UInt8(ascii: "-") {
            position += 1
        }
        let integer = position
        guard skipDigits(bytes) > 0 else {
            throw WireError(.invalidJSON, at: first)
        }
        if bytes[integer] == UInt8(ascii: "0"), position - integer > 1 {
            throw WireError(.invalidJSON, at: integer)
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard skipDigits(bytes) > 0 else {
                throw WireError(.invalidJSON, at: position)
            }
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard skipDigits(bytes) > 0 else {
                throw WireError(.invalidJSON, at: position)
            }
        }
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) -> Int {
        let first = position
        while position < end, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        return position - first
    }
}
