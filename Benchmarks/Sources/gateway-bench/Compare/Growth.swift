// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// What a call costs with few connections and with many, at the same rate.
struct Growth {
    let scene: Scene
    let load: String
    let rounds: Int
    let seconds: Double

    private static let counts = [10, 100, 1_000, 5_000]

    func measure() throws -> Comparison.Cells {
        try Comparison(
            scene: scene,
            candidates: Self.candidates(load),
            works: Self.works,
            rounds: rounds,
            seconds: seconds
        ).measure()
    }

    private static func candidates(_ load: String) -> [any Candidate] {
        [Gateway(), Floor(load: load), HAProxyPeer()].filter { $0.missing == nil }
    }

    private static let works = counts.map { count in
        Work(
            name: "growth-\(count)",
            title: "\(count) connections, 20,000 calls a second in all",
            group: .calls,
            arguments: ["run", "--connections", "\(count)", "--window", "64", "--rate", "20000"],
            unit: "µs of CPU a call",
            cost: { finding in finding.calls.map { finding.processor / $0 * 1e6 } }
        )
    }

    /// Every measurement, and a plot.
    func report(_ cells: Comparison.Cells) -> ComparisonReport {
        ComparisonReport(candidates: Self.candidates(load), works: Self.works, cells: cells)
    }

    /// A row for each candidate, a column for each number of connections.
    func table(_ cells: Comparison.Cells) -> Table {
        var table = Table(
            title: "Growth: µs of CPU a call, 20,000 calls a second in all, median (quartiles)",
            header: [""] + Self.counts.map { "\($0) connections" }
        )
        for candidate in Self.candidates(load) {
            let row = Self.works.map { cells[$0.name]?[candidate.name]?.cost?.text(digits: 1) ?? "failed" }
            table.rows.append([candidate.title] + row)
        }
        let own = Self.works.map { cells[$0.name]?["ipc-gateway"] }
        if let few = own.first ?? nil, let many = own.last ?? nil, let ratio = many.ratio(to: few) {
            let median = ratio.median
            let verdict: Bound.Verdict = abs(median - 1) <= 0.1 ? .met : ratio.percentile(0.25) <= 1.1 ? .tie : .missed
            table.notes = "5,000 connections to 10, promised within ± 10 %: \(ratio.text(digits: 2)), **\(verdict)**."
        }
        return table
    }
}
