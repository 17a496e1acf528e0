// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// `gateway-bench measure`: everything, or a part of it.
struct Measure: ParsableCommand {
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case cost
        case fairness
    }

    static let configuration = CommandConfiguration(abstract: "Measure and print tables (the default).")

    @Option(help: ArgumentHelp("The gateway's program.", valueName: "path"))
    var gateway = ".build/release/ipc-gateway"

    @Option(help: "Measure only this.")
    var only: Part?

    @Option(help: "How often all gateways are started anew.")
    var series = 5

    @Option(help: "Rounds in a series; in each, everything has its turn.")
    var rounds = 8

    @Option(help: "Calls in a turn, when costs are measured.")
    var calls = 20_000

    @Option(help: "Seconds in a turn, when latencies are measured.")
    var seconds = 2.0

    @Option(help: ArgumentHelp("Writes the tables to a file, too.", valueName: "file"))
    var markdown: String?

    func validate() throws {
        guard series > 0, rounds > 0, calls > 0, seconds > 0 else {
            throw ValidationError("--series, --rounds, --calls and --seconds are greater than zero")
        }
        guard access(gateway, X_OK) == 0 else {
            throw ValidationError("\(gateway) is not there; build it with: make release")
        }
    }

    func run() throws {
        let stage = try Stage(gateway: gateway, cores: Cores.divided())
        var report = "\(Machine.description)\n"
        if only != .fairness {
            let cost = CostOfPolicy(stage: stage, series: series, rounds: rounds, calls: calls)
            for table in try cost.measure() { report += "\n\(table.markdown)" }
        }
        if only != .cost {
            let fairness = Fairness(stage: stage, rounds: series, seconds: seconds)
            report += "\n\(try fairness.measure().markdown)"
        }
        print(report, terminator: "")
        if let markdown { try Data(report.utf8).write(to: URL(fileURLWithPath: markdown)) }
    }
}
