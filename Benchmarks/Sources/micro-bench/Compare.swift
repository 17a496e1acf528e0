// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// `micro-bench compare`: measures, prints the table, and fails where something costs more than it may.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure and compare with the thresholds (the default).")

    #if arch(x86_64)
    private static let hasThresholds = true
    #else
    private static let hasThresholds = false
    #endif

    @Option(help: ArgumentHelp("The file with the thresholds.", valueName: "file"))
    var thresholds = "Benchmarks/micro-thresholds.txt"

    @Option(help: ArgumentHelp("Only this benchmark.", valueName: "name"))
    var only: String?

    @Flag(help: "Write what is measured, with a margin, as the new thresholds.")
    var update = false

    @Option(help: ArgumentHelp("Write the table to a file, too.", valueName: "file"))
    var markdown: String?

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/micro-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let certificate = Certificate(in: folder)
        try certificate.make()
        let all = try Benchmarks.all(certificate: certificate)
        let benchmarks = all.filter { only == nil || only == $0.name }
        guard !benchmarks.isEmpty else {
            let names = all.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no benchmark '\(only ?? "")'; there are \(names)")
        }
        let hasFile = FileManager.default.fileExists(atPath: thresholds)
        var allowed = update && !hasFile ? Thresholds() : try Thresholds(thresholds)
        let figures = try Figures.measure(only: only, folder: folder)
        if update {
            for benchmark in benchmarks { figures[benchmark.name].map { allowed.set(benchmark, $0) } }
            try Data(allowed.text(all).utf8).write(to: URL(fileURLWithPath: thresholds))
        }
        let table = Self.table(benchmarks, figures, allowed)
        print(table, terminator: "")
        if let markdown { try Data(table.utf8).write(to: URL(fileURLWithPath: markdown)) }
        let problems = problems(all, figures, allowed)
        guard problems.isEmpty else { throw Failure("\n" + problems.joined(separator: "\n")) }
    }

    private static func table(
        _ benchmarks: [any Benchmark],
        _ figures: [String: Figures],
        _ allowed: Thresholds
    ) -> String {
        var rows =
            """
            | | operation | instructions | at most | allocations | at most | OpenSSL's allocations |
            |---|---|--:|--:|--:|--:|--:|

            """
        for benchmark in benchmarks {
            guard let found = figures[benchmark.name] else { continue }
            let most = allowed[benchmark.name]
            let cells = [
                "`\(benchmark.name)`", benchmark.operation,
                "\(found.instructions)", most.map { "\($0.instructions)" } ?? "",
                Thresholds.text(found.allocations), most.map { Thresholds.text($0.allocations) } ?? "",
                Thresholds.text(found.opensslAllocations),
            ]
            rows += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return rows
    }

    private func problems(_ all: [any Benchmark], _ figures: [String: Figures], _ allowed: Thresholds) -> [String] {
        var problems: [String] = []
        for name in allowed.byName.keys.sorted() where !all.contains(where: { $0.name == name }) {
            problems.append("\(thresholds) has '\(name)', which is no benchmark: take the line out")
        }
        for benchmark in all {
            guard let most = allowed[benchmark.name] else {
                problems.append("\(thresholds) says nothing about '\(benchmark.name)': --update adds it")
                continue
            }
            guard let found = figures[benchmark.name] else { continue }
            if Self.hasThresholds, found.instructions > most.instructions {
                let (count, limit) = (found.instructions, most.instructions)
                problems.append("\(benchmark.name): \(count) instructions, at most \(limit) are allowed")
            }
            if found.allocations > most.allocations + 0.0005 {
                let (text, limit) = (Thresholds.text(found.allocations), Thresholds.text(most.allocations))
                problems.append("\(benchmark.name): \(text) allocations, at most \(limit) are allowed")
            }
        }
        return problems
    }
}
