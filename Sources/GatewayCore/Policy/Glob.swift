// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A pattern over bytes: `*`, `**`, and everything else literally. Matches are anchored at both ends.
///
/// - `*` stands for any run of bytes, the empty one included, without the separator, if the pattern has one.
/// - `**` stands for any run of bytes.
/// - `\` takes the next character literally, so `\*` is a star.
///
/// Text is compared as UTF-8 bytes: `String ==` calls two spellings of `é` equal, which to the server behind the
/// gateway are two names.
public struct Glob: Sendable, Hashable, CustomStringConvertible {
    private enum Token: Sendable, Hashable {
        case literal(UInt8)
        case run
        case anyRun
    }

    private var tokens: [Token]
    private var separator: UInt8?

    /// The pattern as it was written.
    public let description: String

    /// Compiles a pattern.
    ///
    /// - Parameters:
    ///   - pattern: The text.
    ///   - separator: The byte that `*` does not cross; nil when there is none.
    /// - Returns: nil when the pattern is empty or ends in a lone backslash.
    public init?(_ pattern: String, separator: UInt8? = nil) {
        guard !pattern.isEmpty else { return nil }
        var tokens: [Token] = []
        var bytes = pattern.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let escaped = bytes.next() else { return nil }
                tokens.append(.literal(escaped))
            case UInt8(ascii: "*"):
                if tokens.last == .run || tokens.last == .anyRun {
                    tokens[tokens.count - 1] = .anyRun
                } else {
                    tokens.append(separator == nil ? .anyRun : .run)
                }
            default:
                tokens.append(.literal(byte))
            }
        }
        self.tokens = tokens
        self.separator = separator
        description = pattern
    }

    /// Whether the whole of `bytes` matches. Time is bounded by the product of both lengths; nothing is allocated.
    public func matches(_ bytes: Span<UInt8>) -> Bool {
        var token = 0
        var position = 0
        // Where to go on after a mismatch: behind the last star of each kind, one byte later than last time.
        var run: (token: Int, position: Int)?
        var anyRun: (token: Int, position: Int)?
        while true {
            if token < tokens.count {
                switch tokens[token] {
                case .run:
                    token += 1
                    run = (token, position)
                    continue
                case .anyRun:
                    token += 1
                    anyRun = (token, position)
                    run = nil
                    continue
                case .literal(let byte):
                    if position < bytes.count, bytes[position] == byte {
                        token += 1
                        position += 1
                        continue
                    }
                }
            } else if position == bytes.count {
                return true
            }
            if let retry = run, retry.position < bytes.count, bytes[retry.position] != separator {
                run = (retry.token, retry.position + 1)
                (token, position) = (retry.token, retry.position + 1)
            } else if let retry = anyRun, retry.position < bytes.count {
                anyRun = (retry.token, retry.position + 1)
                run = nil
                (token, position) = (retry.token, retry.position + 1)
            } else {
                return false
            }
        }
    }

    /// Whether the whole of `text` matches, as UTF-8 bytes.
    public func matches(_ text: String) -> Bool {
        matches(Array(text.utf8).span)
    }
}

extension Glob {
    // What it means counts, not how it was written: `**` and `*` are one pattern where there is no separator.

    /// Whether both were compiled to the same.
    public static func == (left: Glob, right: Glob) -> Bool {
        left.separator == right.separator && left.tokens == right.tokens
    }

    /// Feeds what it was compiled to into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(separator)
        hasher.combine(tokens)
    }

    /// The one text that matches; nil when there are stars.
    var literal: [UInt8]? {
        let prefix = literalPrefix
        return prefix.count == tokens.count ? prefix : nil
    }

    /// What every text that matches starts with: everything before the first star.
    var literalPrefix: [UInt8] {
        var prefix: [UInt8] = []
        for case .literal(let byte) in tokens.prefix(while: { $0 != .run && $0 != .anyRun }) { prefix.append(byte) }
        return prefix
    }

    /// Whether everything matches.
    var isAny: Bool {
        tokens == [.anyRun]
    }

    /// Whether it asks nothing but, where there is a separator, for none or any.
    var isOnlyStars: Bool {
        tokens.allSatisfy { $0 == .run || $0 == .anyRun }
    }

    /// Whether it is certain that everything that matches `other` matches this too.
    func covers(_ other: Glob) -> Bool {
        if isAny || tokens == other.tokens && separator == other.separator { return true }
        return other.literal.map { matches($0.span) } ?? false
    }
}
