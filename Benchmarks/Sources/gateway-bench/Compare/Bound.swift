// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What is promised of the gateway's cost, as a ratio to that of others in the same round.
enum Bound: Sendable {
    /// Below each of the peers.
    case belowPeers
    /// Below each of the peers, or no difference that can be told from chance.
    case belowOrTiesPeers
    /// Below these.
    case below([String])
    /// The same as the best of the peers, or below; the aim is this much of it.
    case tiesWithBest(aim: Double)
    /// The same as each of these, or below; the aim is this much of it.
    case tiesWith([String], aim: Double)
    /// At most so many times the bare copy.
    case timesFloor(Double)
    /// With rules at most so many times what it costs with the one that allows everything.
    case policy(Double)

    /// Whether it is kept.
    enum Verdict: String {
        case met, tie, missed
    }

    /// A verdict, and why.
    struct Finding {
        var promise: String
        var verdict: Verdict
        var reason: String
    }

    /// - Parameters:
    ///   - ratios: Of the gateway's cost to those of others, by name, in each round.
    ///   - rules: Of its cost with rules to that without.
    func judge(_ ratios: [String: Spread], rules: [String: Spread], titles: [String: String]) -> Finding? {
        let peers = ratios.filter { $0.key != Floor.name }
        switch self {
        case .belowPeers: return Self.judge("below every peer", peers, titles, bound: 1, allowsTie: false)
        case .belowOrTiesPeers:
            return Self.judge("below or a tie with every peer", peers, titles, bound: 1, allowsTie: true)
        case .below(let names):
            let chosen = peers.filter { names.contains($0.key) }
            return Self.judge("below " + Self.list(names, titles), chosen, titles, bound: 1, allowsTie: false)
        case .tiesWithBest(let aim):
            let promise = "a tie with the best peer or below, aim \(aim)"
            return Self.judge(promise, peers, titles, bound: 1, allowsTie: true)
        case .tiesWith(let names, let aim):
            let promise = "a tie with \(Self.list(names, titles)) or below, aim \(aim)"
            let chosen = peers.filter { names.contains($0.key) }
            return Self.judge(promise, chosen, titles, bound: 1, allowsTie: true)
        case .timesFloor(let bound):
            let floor = ratios.filter { $0.key == Floor.name }
            return Self.judge("at most \(bound) × the bare copy", floor, titles, bound: bound, allowsTie: true)
        case .policy(let bound):
            return Self.judge(
                "rules: at most \(bound) × one that allows all",
                rules,
                titles,
                bound: bound,
                allowsTie: true
            ) {
                "\($0): \($1)"
            }
        }
    }

    private static func list(_ names: [String], _ titles: [String: String]) -> String {
        names.map { titles[$0] ?? $0 }.joined(separator: " and ")
    }

    /// By whoever is worst for the gateway. A tie is a bound between the quartiles, and met where a tie is promised.
    private static func judge(
        _ promise: String,
        _ ratios: [String: Spread],
        _ titles: [String: String],
        bound: Double,
        allowsTie: Bool,
        reason: (_ title: String, _ ratio: String) -> String = { "\($1) × \($0)" }
    ) -> Finding? {
        // Each is judged: one that is surely below the bound says nothing about another that is not.
        let order: [Verdict] = [.met, .tie, .missed]
        let judged = ratios.map { (key: $0.key, value: $0.value, verdict: Self.verdict($0.value, bound, allowsTie)) }
        let worst = judged.max { left, right in
            let (first, second) = (order.firstIndex(of: left.verdict) ?? 0, order.firstIndex(of: right.verdict) ?? 0)
            return first == second ? left.value.median < right.value.median : first < second
        }
        guard let worst else { return nil }
        let (spread, verdict) = (worst.value, worst.verdict)
        return Finding(
            promise: promise,
            verdict: verdict,
            reason: reason(titles[worst.key] ?? worst.key, spread.text(digits: 2))
        )
    }

    private static func verdict(_ spread: Spread, _ bound: Double, _ allowsTie: Bool) -> Verdict {
        if spread.median < bound && (allowsTie || spread.percentile(0.75) < bound) { return .met }
        return spread.percentile(0.25) <= bound ? .tie : .missed
    }
}
