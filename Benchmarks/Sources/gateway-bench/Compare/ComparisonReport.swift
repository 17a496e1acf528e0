// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What came out of a comparison, for people and for programs.
struct ComparisonReport {
    let candidates: [any Candidate]
    let works: [Work]
    let cells: Comparison.Cells
    let baseline = "ipc-gateway"

    private var titles: [String: String] {
        Dictionary(uniqueKeysWithValues: candidates.map { ($0.name, $0.title) })
    }

    // MARK: Markdown

    var markdown: String {
        var text = "\(promises.markdown)"
        for work in works { text += "\n\(table(of: work).markdown)" }
        return text
    }

    /// What was promised, and what became of it.
    var promises: Table {
        var table = Table(title: "Promises", header: ["work", "promise", "", "ratio, median (quartiles)"])
        for work in works {
            let (others, rules) = (ratios(of: work), costOfRules(of: work))
            for finding in work.bounds.compactMap({ $0.judge(others, rules: rules, titles: titles) }) {
                table.rows.append([work.title, finding.promise, "**\(finding.verdict.rawValue)**", finding.reason])
            }
        }
        return table
    }

    private func ratios(of work: Work) -> [String: Spread] {
        guard let row = cells[work.name], let own = row[baseline] else { return [:] }
        let others = candidates.filter { !($0 is Gateway) }
        return Dictionary(
            uniqueKeysWithValues: others.compactMap { other in
                row[other.name].flatMap { own.ratio(to: $0) }.map { (other.name, $0) }
            }
        )
    }

    private func costOfRules(of work: Work) -> [String: Spread] {
        guard let row = cells[work.name], let own = row[baseline] else { return [:] }
        let others = candidates.filter { ($0 as? Gateway)?.rules != nil }
        return Dictionary(
            uniqueKeysWithValues: others.compactMap { other in
                row[other.name].flatMap { $0.ratio(to: own) }.map { (other.name, $0) }
            }
        )
    }

    private func table(of work: Work) -> Table {
        var table = Table(
            title: work.title,
            header: ["", "\(work.unit), median (quartiles)", "to the gateway", "system calls", "p50 ms", "p99 ms"]
        )
        guard let row = cells[work.name] else { return table }
        for candidate in candidates {
            guard let cell = row[candidate.name] else { continue }
            guard let cost = cell.cost else {
                table.rows.append([candidate.title, "failed", "", "", "", ""])
                continue
            }
            let failures = cell.costs.count { $0 == nil }
            let ratio = row[baseline].flatMap { cell.ratio(to: $0) }?.text(digits: 2) ?? ""
            table.rows.append([
                candidate.title + (failures > 0 ? " (failed \(failures) of \(cell.costs.count) times)" : ""),
                cost.text(digits: cost.median < 10 ? 2 : 1),
                candidate.name == baseline ? "1" : ratio,
                cell.systemCalls.map { String(format: "%.2f", $0) } ?? "",
                Self.milliseconds(cell.p50), Self.milliseconds(cell.p99),
            ])
        }
        return table
    }

    private static func milliseconds(_ values: [Double]) -> String {
        values.isEmpty ? "" : String(format: "%.2f", Spread(values).median / 1_000)
    }

    // MARK: CSV

    /// Every single measurement.
    var csv: String {
        var text = "work,candidate,round,unit,cost,p50_us,p99_us\n"
        for work in works {
            for candidate in candidates {
                guard let cell = cells[work.name]?[candidate.name] else { continue }
                var good = 0
                for (round, cost) in cell.costs.enumerated() {
                    guard let cost else {
                        text += "\(work.name),\(candidate.name),\(round + 1),\(work.unit),,,\n"
                        continue
                    }
                    let p50 = good < cell.p50.count ? "\(cell.p50[good])" : ""
                    let p99 = good < cell.p99.count ? "\(cell.p99[good])" : ""
                    good += 1
                    text += "\(work.name),\(candidate.name),\(round + 1),\(work.unit),\(cost),\(p50),\(p99)\n"
                }
            }
        }
        return text
    }

    // MARK: Plot

    /// Bars, a panel for each work.
    var plot: String {
        var panels: [BarPlot.Panel] = []
        for work in works {
            let bars = candidates.compactMap { candidate in
                cells[work.name]?[candidate.name]?.cost.map { cost in
                    BarPlot.Bar(title: candidate.title, value: cost, isOwn: candidate is Gateway)
                }
            }
            if !bars.isEmpty { panels.append(BarPlot.Panel(title: work.title, unit: work.unit, bars: bars)) }
        }
        return BarPlot(panels: panels).svg
    }
}
