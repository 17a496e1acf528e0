// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Rules, compiled so that those about a request are found without going through all of them.
///
/// Each right (who asks for what) has a scope of channels. Each channel pattern has a scope of commands, which holds for
/// each name the verdict of all rules with that channel pattern. A channel that is configured by name also knows which
/// patterns match it, so that it costs one look-up; other channels are searched among the patterns. A name that one rule
/// allows, and nothing else is said about, has no verdict but the complement of the rule's number: there may be thousands,
/// and they are not to fill the processor's caches. An object, because sessions share it, and who asks for each request is
/// to be handed one reference.
final class RuleTable: Sendable {
    /// The rules about a request.
    struct Candidates {
        /// The first rule that denies without conditions.
        private(set) var deny: Int32?
        /// The first rule that allows without conditions.
        private(set) var allow: Int32?
        /// The shortest deadline of the rules that allow without conditions.
        private(set) var deadline = UInt64.max
        /// Rules with conditions, some possibly twice.
        private(set) var conditional: [Int32] = []
        /// Slots and patterns that were looked at.
        fileprivate(set) var steps = 0

        fileprivate mutating func add(allow rule: Int32) {
            allow = min(allow ?? rule, rule)
        }

        fileprivate mutating func add(_ verdict: Verdict, _ conditional: [Int32]) {
            if verdict.deny != Verdict.none { deny = min(deny ?? verdict.deny, verdict.deny) }
            if verdict.allow != Verdict.none { allow = min(allow ?? verdict.allow, verdict.allow) }
            deadline = min(deadline, verdict.deadline)
            for index in verdict.conditional { self.conditional.append(conditional[Int(index)]) }
        }
    }

    /// What the rules of one channel pattern say about one name, or pattern for names. Small, as there are many.
    struct Verdict {
        static let none = Int32.max

        /// The first rule that denies without conditions, or `none`.
        var deny = none
        /// The first rule that allows without conditions, or `none`.
        var allow = none
        /// The shortest deadline of the rules that allow without conditions.
        var deadline = UInt64.max
        /// Where in `conditional` the others are.
        var conditional: Range<Int32> = 0..<0
    }

    /// A channel that is configured by name.
    struct Channel {
        /// The scope of the rules that name it.
        var own: Int32
        /// Where in `shared` the scopes of the patterns are that match it.
        var shared: Range<Int>
    }

    let rules: [AccessPolicy.Rule]
    let index: PatternIndex
    let channels: [Channel]
    let shared: [Int32]
    let verdicts: [Verdict]
    let conditional: [Int32]
    /// The scope of channels of each right, see `right(_:_:)`.
    let roots: [Int32]

    init(
        rules: [AccessPolicy.Rule],
        index: PatternIndex,
        channels: [Channel],
        shared: [Int32],
        verdicts: [Verdict],
        conditional: [Int32],
        roots: [Int32]
    ) {
        self.rules = rules
        self.index = index
        self.channels = channels
        self.shared = shared
        self.verdicts = verdicts
        self.conditional = conditional
        self.roots = roots
    }

    /// The number of a right.
    static func right(_ request: AccessPolicy.Request, _ direction: AccessPolicy.Direction) -> Int {
        (request == .call ? 0 : 1) + (direction == .fromClient ? 0 : 2)
    }

    /// Finds the rules about a request.
    func collect(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        channel: Span<UInt8>,
        name: Span<UInt8>,
        _ hashes: NameHashes,
        into candidates: inout Candidates
    ) {
        let root = roots[Self.right(request, direction)]
        if let found = index.literal(channel, hash: hashes.channel, scope: root, steps: &candidates.steps) {
            let known = channels[Int(found)]
            collect(name, hashes.name, scope: known.own, into: &candidates)
            for place in known.shared { collect(name, hashes.name, scope: shared[place], into: &candidates) }
            return
        }
        var search = index.search(in: root)
        while let scope = index.next(&search, channel, steps: &candidates.steps) {
            collect(name, hashes.name, scope: scope, into: &candidates)
        }
    }

    private func collect(_ name: Span<UInt8>, _ hash: ByteHash, scope: Int32, into candidates: inout Candidates) {
        if let found = index.literal(name, hash: hash, scope: scope, steps: &candidates.steps) {
            if found < 0 { return candidates.add(allow: ~found) }
            return candidates.add(verdicts[Int(found)], conditional)
        }
        var search = index.search(in: scope)
        while let found = index.next(&search, name, steps: &candidates.steps) {
            candidates.add(verdicts[Int(found)], conditional)
        }
    }
}
