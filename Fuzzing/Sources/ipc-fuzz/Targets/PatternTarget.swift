// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

@testable import GatewayCore

/// Patterns match what a table of all prefixes says.
enum PatternTarget {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let separator: UInt8? = reader.byte() & 1 == 0 ? nil : UInt8(ascii: "/")
        let pattern = String(decoding: reader.piece().prefix(60), as: UTF8.self)
        let text = Array(reader.rest().prefix(200))
        let glob = Glob(pattern, separator: separator)
        let parts = parts(of: Array(pattern.utf8))
        require((glob != nil) == (parts != nil), "a pattern is one to both")
        guard let glob, let parts else { return }
        var matches = glob.matches(text.span)
        // The defect: a star at the end does not stand for nothing.
        if Target.isSpoiled, parts.last == .star(2), text.isEmpty { matches = false }
        require(matches == Self.matches(parts, text, separator), "'\(pattern)' matches \(text) to one of two")
        if let literal = glob.literal { require((literal == text) == matches, "a literal matches itself alone") }
        require(!matches || text.starts(with: glob.literalPrefix), "what matches starts like the pattern")
        require(!glob.isAny || matches, "any is any")
    }

    private enum Part: Equatable {
        case byte(UInt8)
        /// So many stars.
        case star(Int)
    }

    private static func parts(of pattern: [UInt8]) -> [Part]? {
        var parts: [Part] = []
        var rest = pattern[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                guard let literal = rest.popFirst() else { return nil }
                parts.append(.byte(literal))
            } else if byte != UInt8(ascii: "*") {
                parts.append(.byte(byte))
            } else if case .star(let count)? = parts.last {
                parts[parts.count - 1] = .star(count + 1)
            } else {
                parts.append(.star(1))
            }
        }
        return parts.isEmpty ? nil : parts
    }

    private static func matches(_ parts: [Part], _ text: [UInt8], _ separator: UInt8?) -> Bool {
        // Whether the parts so far match the first n bytes.
        var reached = [true] + [Bool](repeating: false, count: text.count)
        for part in parts {
            var next = [Bool](repeating: false, count: text.count + 1)
            switch part {
            case .byte(let byte):
                for place in text.indices where reached[place] && text[place] == byte { next[place + 1] = true }
            case .star(let count):
                for place in 0...text.count {
                    let goesOn = place > 0 && next[place - 1] && (count > 1 || text[place - 1] != separator)
                    next[place] = reached[place] || goesOn
                }
            }
            reached = next
        }
        return reached[text.count]
    }
}
