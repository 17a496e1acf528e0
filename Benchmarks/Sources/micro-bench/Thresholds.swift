// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What each benchmark may cost at most: a file with lines of a name, instructions and allocations, for one operation.
struct Thresholds {
    struct Threshold {
        var instructions: Int
        var allocations: Double
    }

    static let heading = """
        # What an operation may cost at most: benchmark, instructions, allocations. Held against by `make micro`.
        # After a change that is meant to cost more, or that costs less: Benchmarks/.build/release/micro-bench --update
        # Instructions are those of x86-64, with a margin for another compiler, C library and OpenSSL.

        """

    private(set) var byName: [String: Threshold] = [:]

    init() {}

    /// Reads the file.
    init(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure("\(path) cannot be read; --update makes it, --thresholds names another")
        }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let instructions = Int(words[1]), let allocations = Double(words[2]) else {
                throw Failure("\(path), line \(index + 1): expected are a name, instructions and allocations")
            }
            let threshold = Threshold(instructions: instructions, allocations: allocations)
            guard byName.updateValue(threshold, forKey: words[0]) == nil else {
                throw Failure("\(path), line \(index + 1): '\(words[0])' has been there before")
            }
        }
    }

    subscript(name: String) -> Threshold? { byName[name] }

    /// Sets what was measured, and a margin. No margin for allocations: those are the same everywhere.
    mutating func set(_ benchmark: any Benchmark, _ figures: Figures) {
        let instructions = Int((Double(figures.instructions) * (1 + benchmark.margin)).rounded(.up)) + 5
        byName[benchmark.name] = Threshold(instructions: instructions, allocations: figures.allocations)
    }

    /// The file, in the order of the benchmarks.
    func text(_ benchmarks: [any Benchmark]) -> String {
        let lines = benchmarks.compactMap { benchmark in
            byName[benchmark.name].map { "\(benchmark.name) \($0.instructions) \(Self.text($0.allocations))\n" }
        }
        return Self.heading + lines.joined()
    }

    static func text(_ allocations: Double) -> String {
        allocations == allocations.rounded() ? "\(Int(allocations))" : String(format: "%.3f", allocations)
    }
}
