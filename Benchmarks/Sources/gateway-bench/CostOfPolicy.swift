// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// The gateway's CPU time for a message it forwards, with different configurations in turn.
struct CostOfPolicy {
    let stage: Stage
    let series: Int
    let rounds: Int
    let calls: Int

    /// A configuration, and what it is compared with.
    private struct Variant {
        var title: String
        var entry: String
        /// Which commands are called.
        var rules: Rules
        /// The members of `audit:` beside the file.
        var audit: String?
        var base: Int
    }

    private static let ten = Rules(count: 10)
    private static let many = Rules(count: 10_000)

    private static let variants = [
        // Twice: what is between the two is chance.
        Variant(title: "one rule that allows everything", entry: Rules.everything(for: "bench"), rules: ten, base: 0),
        Variant(title: "the same, 10,000 commands called", entry: Rules.everything(for: "bench"), rules: many, base: 0),
        Variant(title: "10 rules by name", entry: ten.entry(for: "bench"), rules: ten, base: 0),
        Variant(title: "10,000 rules, 10 commands called", entry: many.entry(for: "bench"), rules: ten, base: 0),
        Variant(title: "10,000 rules, all commands called", entry: many.entry(for: "bench"), rules: many, base: 0),
        Variant(title: "10 rules, no audit log", entry: ten.entry(for: "bench"), rules: ten, base: 5),
        Variant(title: "`calls: denied`", entry: ten.entry(for: "bench"), rules: ten, audit: "denied", base: 5),
        Variant(title: "`calls: all`", entry: ten.entry(for: "bench"), rules: ten, audit: "all", base: 5),
    ]
    private static let firstOfAudit = 5

    func measure() throws -> [Table] {
        var costs = [[Double]](repeating: [], count: Self.variants.count)
        var lines = AuditLines()
        for number in 1...series {
            note("cost: series \(number) of \(series)")
            try measureSeries(&costs, &lines)
        }
        let policy = table("Cost of the policy", "to the first row", 0..<Self.firstOfAudit, costs)
        var audit = table("Cost of the audit log", "to none", Self.firstOfAudit..<Self.variants.count, costs)
        audit.notes = "Lines for calls: \(lines.written) written, \(lines.dropped) dropped because the queue was full."
        return [policy, audit]
    }

    private func measureSeries(_ costs: inout [[Double]], _ lines: inout AuditLines) throws {
        let file = stage.directory.file("audit.jsonl")
        let gateways = try Self.variants.enumerated().map { index, variant in
            let audit = variant.audit.map { "{ file: \(file)-\($0), calls: \($0) }" }
            return try stage.startGateway("cost-\(index)", clients: [variant.entry], audit: audit)
        }
        let loads = try zip(gateways, Self.variants).map { gateway, variant in
            try PipelinedLoad(variant.rules) { try stage.connect(to: gateway, as: "bench") }
        }
        for load in loads { _ = try load.run(calls / 4) }
        for round in 0..<rounds {
            for turn in loads.indices {
                let index = (round + turn) % loads.count
                let pid = gateways[index].child.pid
                let before = try ProcessorClock.time(of: pid)
                let made = try loads[index].run(calls)
                // The audit log's thread is a little behind.
                letTimePass(milliseconds: 30)
                let used = try ProcessorClock.time(of: pid) - before
                // A call and its answer are two messages.
                costs[index].append(used / Double(2 * made))
            }
        }
        for gateway in gateways { try gateway.stop() }
        lines.add(try Data(contentsOf: URL(fileURLWithPath: "\(file)-all")))
        for name in ["all", "denied"] { try FileManager.default.removeItem(atPath: "\(file)-\(name)") }
    }

    private func table(_ title: String, _ base: String, _ range: Range<Int>, _ costs: [[Double]]) -> Table {
        var table = Table(
            title: "\(title): CPU of the gateway, \(series * rounds) turns of \(calls) calls each",
            header: ["", "µs a message, median (quartiles)", "ratio \(base), median (quartiles)"]
        )
        for index in range {
            let ratios = zip(costs[index], costs[Self.variants[index].base]).map { $0 / $1 }
            let cost = Spread(costs[index].map { $0 * 1e6 })
            let ratio = index == Self.variants[index].base ? "1" : Spread(ratios).text(digits: 3)
            table.rows.append([Self.variants[index].title, cost.text(digits: 2), ratio])
        }
        return table
    }
}
