// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Which of a client's servers a channel belongs to.
///
/// A channel that a server lists by name is that server's. Of patterns the one with the longest text before its first
/// star decides; the configuration refuses two servers with equally long ones that might match the same name. What
/// matches nothing goes to the server that lists no channels, if there is one.
public struct RouteTable: Sendable {
    private struct Pattern {
        var glob: Glob
        var upstream: Int
    }

    private var names = NameTable()
    private var patterns: [Pattern] = []
    private let standard: Int?
    private let isSimple: Bool

    /// Compiles the routes.
    ///
    /// - Parameter channels: For each server, in order, the channels that it has for itself; none means all the others.
    public init(_ channels: [[Glob]]) {
        standard = channels.firstIndex { $0.isEmpty }
        for (upstream, globs) in channels.enumerated() {
            for glob in globs {
                if let literal = glob.literal {
                    names.insert(literal, scope: 0, value: Int32(upstream))
                } else {
                    patterns.append(Pattern(glob: glob, upstream: upstream))
                }
            }
        }
        patterns.sort { $0.glob.literalPrefix.count > $1.glob.literalPrefix.count }
        isSimple = channels.count == 1 && standard == 0
    }

    /// The place of the channel's server; nil when there is none.
    public func upstream(for channel: Span<UInt8>) -> Int? {
        upstream(for: channel, ByteHash(channel))
    }

    /// The same, where the hash of the name is known.
    func upstream(for channel: Span<UInt8>, _ hash: ByteHash) -> Int? {
        if isSimple { return 0 }
        var steps = 0
        if let found = names.find(channel, hash: hash, scope: 0, steps: &steps) { return Int(found) }
        for pattern in patterns where pattern.glob.matches(channel) { return pattern.upstream }
        return standard
    }

    /// Two channel patterns of different servers between which nobody can choose.
    struct Conflict {
        var first: (upstream: Int, pattern: Glob)
        var second: (upstream: Int, pattern: Glob)
    }

    /// The first pair of patterns that may match the same channel and are equally good.
    static func conflict(in channels: [[Glob]]) -> Conflict? {
        var seen: [[UInt8]: (upstream: Int, pattern: Glob)] = [:]
        for (upstream, globs) in channels.enumerated() {
            for glob in globs {
                // A name and a pattern never compete, so they must not meet here: no name begins with this byte.
                let key = glob.literal.map { [0xFF] + $0 } ?? glob.literalPrefix
                if let other = seen[key], other.upstream != upstream {
                    return Conflict(first: other, second: (upstream, glob))
                }
                seen[key] = (upstream, glob)
            }
        }
        return nil
    }
}
