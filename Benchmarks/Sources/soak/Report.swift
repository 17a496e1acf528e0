// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The figures for people, in Markdown.
struct Report {
    let seed: UInt64
    let seconds: Int
    let course: Course
    let faults: Faults
    let holdings: [Stage.Holdings]

    var markdown: String {
        let kinds = ["untouched", "plain", "sessions", "bursts"]
        let figures = kinds.map(course.figures)
        func row(_ title: String, _ value: (Figures) -> String) -> [String] { [title] + figures.map(value) }
        let names = Set(figures.flatMap(\.errors.keys)).sorted()
        let clients =
            [
                ["clients"] + kinds,
                row("calls") { "\($0.calls)" },
                row("right answers") { "\($0.answers)" },
            ] + names.map { name in row("answered with `\(name)`") { "\($0.errors[name] ?? 0)" } } + [
                row("cut off before the answer") { "\($0.forgotten)" },
                row("events, in order") { "\($0.events)" },
                row("connections") { "\($0.connections)" },
                row("resumed") { "\($0.resumptions)" },
                row("longest pause, ms") { "\($0.longestPause / 1_000_000)" },
            ]
        let counts = Faults.Kind.allCases.map { [$0.rawValue, "\(faults.counts[$0] ?? 0)"] }
        let names3 = ["start", "half time", "end"]
        let held = zip(names3, holdings).map {
            [$0, String(format: "%.1f", Double($1.resident) / 1_048_576), "\($1.descriptors)", "\($1.threads)"]
        }
        return "**Soak of \(seconds) s, seed \(seed)**\n\n" + Self.table(clients) + "\n"
            + Self.table([["what happened", "times"]] + counts) + "\n"
            + Self.table([["gateway", "resident MiB", "descriptors", "threads"]] + held)
    }

    private static func table(_ rows: [[String]]) -> String {
        let width = rows.first?.count ?? 0
        let lines = rows.map { "| " + $0.joined(separator: " | ") + " |\n" }
        return (lines.first ?? "") + "|" + String(repeating: "---|", count: width) + "\n" + lines.dropFirst().joined()
    }
}
