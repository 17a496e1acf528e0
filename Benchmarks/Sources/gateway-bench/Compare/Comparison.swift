// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// The same work through all candidates, round after round, each in another order.
struct Comparison {
    let scene: Scene
    let candidates: [any Candidate]
    let works: [Work]
    let rounds: Int
    let seconds: Double

    /// What was found of a candidate at a piece of work, a round each; a round that failed has none.
    struct Cell {
        var costs: [Double?] = []
        var p50: [Double] = []
        var p99: [Double] = []
        /// System calls for a call, or for a connection.
        var systemCalls: Double?
    }

    /// By the work's name, then the candidate's.
    typealias Cells = [String: [String: Cell]]

    func measure() throws -> Cells {
        var cells: Cells = [:]
        var trouble: Set<String> = []
        for round in 1...rounds {
            for work in works {
                note("round \(round) of \(rounds): \(work.title)")
                // Each is started anew: what it did before is not to help it, nor its memory to count.
                let asked = candidates.filter { $0.groups.contains(work.group) }
                for candidate in asked.shuffled() {
                    do {
                        let contestant = try Contestant(candidate, scene)
                        let finding = try scene.measure(work, contestant, seconds: seconds)
                        cells[work.name, default: [:]][candidate.name, default: Cell()].add(finding, work)
                        if round == rounds, work.group != .bulk {
                            cells[work.name]?[candidate.name]?.systemCalls = systemCalls(of: work, contestant)
                        }
                    } catch {
                        cells[work.name, default: [:]][candidate.name, default: Cell()].costs.append(nil)
                        if trouble.insert("\(work.name) \(candidate.name)").inserted { note("\(error)") }
                    }
                }
            }
        }
        return cells
    }

    /// System calls for a call, an event or a connection; nil where the kernel does not let us count them.
    private func systemCalls(of work: Work, _ contestant: Contestant) -> Double? {
        guard let finding = try? scene.measure(work, contestant, seconds: 0.5, countingCalls: true) else { return nil }
        guard let calls = finding.systemCalls, calls > 0 else { return nil }
        return [finding.events, finding.calls, finding.connections].compactMap { $0 }.first { $0 > 0 }.map {
            calls / $0
        }
    }
}

extension Comparison.Cell {
    fileprivate mutating func add(_ finding: Finding, _ work: Work) {
        costs.append(work.cost(finding))
        if let value = finding.p50 { p50.append(value) }
        if let value = finding.p99 { p99.append(value) }
    }

    /// What it costs; nil when it never worked.
    var cost: Spread? {
        let values = costs.compactMap { $0 }
        return values.isEmpty ? nil : Spread(values)
    }

    /// The ratio of this one's cost to another's in the same round.
    func ratio(to other: Self) -> Spread? {
        let ratios = zip(costs, other.costs).compactMap { own, other in
            if let own, let other, other > 0 { own / other } else { nil }
        }
        return ratios.isEmpty ? nil : Spread(ratios)
    }
}
