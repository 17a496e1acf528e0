// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What one client and its server may ask of each other.
///
/// A request is allowed when some rule allows it and none denies it. The order of the rules does not matter. The rules
/// are compiled once: judging a request costs a few table look-ups and no allocation, however many rules there are; its
/// argument is looked at only when a rule with conditions could decide. The language is described in docs/policy.md.
public struct AccessPolicy: Sendable {
    /// What a request wants; the rights are separate.
    public enum Request: Sendable, Hashable, CaseIterable {
        /// Call a command.
        case call
        /// Listen to an event.
        case listen
    }

    /// Who asks; the rights are separate.
    public enum Direction: Sendable, Hashable, CaseIterable {
        /// The client asks its server.
        case fromClient
        /// The server asks its client.
        case fromServer
    }

    /// Names a rule of one policy.
    public struct RuleReference: Sendable, Hashable {
        /// The place in ``AccessPolicy/rules``.
        public var index: Int

        /// Makes a reference.
        public init(index: Int) {
            self.index = index
        }
    }

    /// The answer to a request.
    public struct Decision: Sendable, Hashable {
        /// Whether the request may pass.
        public var isAllowed: Bool
        /// The rule that decided, see ``AccessPolicy/subscript(_:)``; nil when the request is denied because no rule
        /// allows it. Where several rules decide alike it is the first without conditions, or else the first.
        public var rule: RuleReference?
        /// How long the call may take, in nanoseconds: the shortest deadline of the rules that allow it. Those with
        /// conditions count only where no rule without allows it. `UInt64.max` for any time.
        public var deadline: UInt64

        /// Makes a decision.
        public init(isAllowed: Bool, rule: RuleReference?, deadline: UInt64 = .max) {
            self.isAllowed = isAllowed
            self.rule = rule
            self.deadline = deadline
        }
    }

    /// Longer names are denied: patterns would have to be held against all of them.
    static let longestName = 4096

    private let table: RuleTable

    /// The rules.
    public var rules: [Rule] { table.rules }

    /// Compiles rules; without any everything is denied.
    public init(rules: [Rule] = []) {
        var builder = RuleTableBuilder()
        table = builder.build(rules)
    }

    /// The rule that a decision of this policy refers to.
    public subscript(reference: RuleReference) -> Rule {
        rules[reference.index]
    }

    /// Judges a request.
    ///
    /// - Parameters:
    ///   - request: What it wants.
    ///   - direction: Who asks.
    ///   - channel: The channel's name, UTF-8.
    ///   - name: The command's or event's name, UTF-8.
    ///   - argument: The encoded argument, one value that ``ValueWalker`` has accepted.
    ///   - limits: The bounds it was accepted with.
    public func judge(
        _ request: Request,
        _ direction: Direction = .fromClient,
        channel: Span<UInt8>,
        name: Span<UInt8>,
        argument: Span<UInt8>,
        limits: IPCLimits
    ) -> Decision {
        var candidates = RuleTable.Candidates()
        let hashes = NameHashes(channel: channel, name: name)
        return judge(request, direction, channel: channel, name: name, hashes, argument, limits, &candidates)
    }

    /// The same, and in `candidates` what it cost, for tests.
    func judge(
        _ request: Request,
        _ direction: Direction,
        channel: Span<UInt8>,
        name: Span<UInt8>,
        _ hashes: NameHashes,
        _ argument: Span<UInt8>,
        _ limits: IPCLimits,
        _ candidates: inout RuleTable.Candidates
    ) -> Decision {
        guard channel.count <= Self.longestName, name.count <= Self.longestName else {
            return Decision(isAllowed: false, rule: nil)
        }
        table.collect(request, direction, channel: channel, name: name, hashes, into: &candidates)
        if let deny = candidates.deny { return decision(false, deny) }
        if candidates.conditional.isEmpty {
            return candidates.allow.map { decision(true, $0, candidates.deadline) }
                ?? Decision(isAllowed: false, rule: nil)
        }
        return judgeConditions(of: candidates, argument, limits)
    }

    private func judgeConditions(
        of candidates: RuleTable.Candidates,
        _ argument: Span<UInt8>,
        _ limits: IPCLimits
    ) -> Decision {
        var reader = ArgumentReader(limits: limits)
        let conditional = candidates.conditional.sorted()
        for index in conditional where rules[Int(index)].effect == .deny {
            // What cannot be judged must not slip past a rule that denies it.
            if rules[Int(index)].judge(argument, &reader) != .fails { return decision(false, index) }
        }
        if let allow = candidates.allow { return decision(true, allow, candidates.deadline) }
        var allowing: Int32?
        var deadline = UInt64.max
        for index in conditional where rules[Int(index)].effect == .allow {
            // Further rules can only matter by a shorter deadline.
            if allowing != nil, rules[Int(index)].deadline ?? .max >= deadline { continue }
            guard rules[Int(index)].judge(argument, &reader) == .holds else { continue }
            allowing = allowing ?? index
            deadline = min(deadline, rules[Int(index)].deadline ?? .max)
        }
        return allowing.map { decision(true, $0, deadline) } ?? Decision(isAllowed: false, rule: nil)
    }

    private func decision(_ isAllowed: Bool, _ index: Int32, _ deadline: UInt64 = .max) -> Decision {
        Decision(isAllowed: isAllowed, rule: RuleReference(index: Int(index)), deadline: deadline)
    }
}
