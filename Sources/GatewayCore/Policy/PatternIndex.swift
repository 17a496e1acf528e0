// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Finds, among many patterns, those that match a name, without trying them all and without allocating.
///
/// Patterns live in scopes. Names without a star are in a table. The others are in buckets by what they start with; of
/// those only the buckets are looked at whose text the name starts with. Patterns that begin with a star are all tried.
struct PatternIndex: Sendable {
    private struct Pattern {
        var glob: Glob
        var value: Int32
    }

    private struct Scope {
        /// The value of `*`; -1 when the scope does not have it.
        var any: Int32
        /// Where in `lengths` the lengths of this scope's prefixes are, in ascending order.
        var lengths: Range<Int>
    }

    private var literals = NameTable()
    private var prefixes = NameTable()
    private var buckets: [Range<Int>] = []
    private var patterns: [Pattern] = []
    private var lengths: [Int] = []
    private var scopes: [Scope] = []

    /// Makes a scope of patterns with stars, none of them twice.
    mutating func addScope(_ globs: [(glob: Glob, value: Int32)]) -> Int32 {
        let number = Int32(scopes.count)
        var scope = Scope(any: -1, lengths: 0..<0)
        var byPrefix: [[UInt8]: [Pattern]] = [:]
        for (glob, value) in globs {
            if glob.isAny {
                scope.any = value
            } else {
                byPrefix[glob.literalPrefix, default: []].append(Pattern(glob: glob, value: value))
            }
        }
        for (prefix, members) in byPrefix {
            prefixes.insert(prefix, scope: number, value: Int32(buckets.count))
            buckets.append(patterns.count..<patterns.count + members.count)
            patterns += members
        }
        let first = lengths.count
        lengths += Set(byPrefix.keys.map(\.count)).sorted()
        scope.lengths = first..<lengths.count
        scopes.append(scope)
        return number
    }

    /// Adds a name without stars that the scope does not have yet.
    mutating func insert(_ literal: [UInt8], scope: Int32, value: Int32) {
        literals.insert(literal, scope: scope, value: value)
    }

    /// The value of a pattern without stars that is this name.
    func literal(_ name: Span<UInt8>, hash: ByteHash, scope: Int32, steps: inout Int) -> Int32? {
        literals.find(name, hash: hash, scope: scope, steps: &steps)
    }

    /// How far a search among the patterns with stars has come.
    struct Search {
        fileprivate let scope: Int32
        fileprivate var any: Int32
        fileprivate var lengths: Range<Int>
        fileprivate var bucket = 0..<0
        fileprivate var hash = ByteHash.Prefix()
    }

    /// Starts a search among a scope's patterns with stars.
    func search(in scope: Int32) -> Search {
        let found = scopes[Int(scope)]
        return Search(scope: scope, any: found.any, lengths: found.lengths)
    }

    /// The value of the next pattern that matches; `steps` grows by the patterns and slots that were looked at.
    func next(_ search: inout Search, _ name: Span<UInt8>, steps: inout Int) -> Int32? {
        if search.any >= 0 {
            defer { search.any = -1 }
            return search.any
        }
        while true {
            while let index = search.bucket.first {
                search.bucket = index + 1..<search.bucket.upperBound
                steps += 1
                if patterns[index].glob.matches(name) { return patterns[index].value }
            }
            guard let index = search.lengths.first, lengths[index] <= name.count else { return nil }
            search.lengths = index + 1..<search.lengths.upperBound
            let length = lengths[index]
            let prefix = name.extracting(0..<length)
            let hash = search.hash.extend(to: prefix)
            if let bucket = prefixes.find(prefix, hash: hash, scope: search.scope, steps: &steps) {
                search.bucket = buckets[Int(bucket)]
            }
        }
    }
}
