// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What one benchmark costs.
struct Figures {
    /// For one operation.
    var instructions: Int
    /// For one operation, OpenSSL's aside; less than one where some allocate and others do not.
    var allocations: Double
    /// OpenSSL's, for one operation.
    var opensslAllocations: Double

    /// Measures benchmarks: once as they are, for their allocations, and once under valgrind, for their instructions.
    ///
    /// - Returns: For each its figures, by its name.
    static func measure(only: String?, folder: String) throws -> [String: Figures] {
        var words = ["count", "--folder", folder]
        if let only { words += ["--only", only] }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let counted = try lines(try Program.run([program] + words))
        // valgrind does not read the debug information that Swift writes, and gives up.
        let stripped = folder + "/micro-bench"
        _ = try Program.run(["objcopy", "--strip-debug", program, stripped])
        let file = folder + "/callgrind"
        let valgrind = [
            "valgrind", "--tool=callgrind", "--callgrind-out-file=\(file)", "--toggle-collect=measured_region",
            "--dump-after=measured_region", "--dump-instr=no", "--dump-line=no",
        ]
        // Where a dictionary puts its keys depends on chance otherwise.
        let steady = ["SWIFT_DETERMINISTIC_HASHING": "1"]
        let order = try lines(try Program.run(valgrind + [stripped] + words, environment: steady)).map(\.name)
        guard order == counted.map(\.name) else { throw Failure("under valgrind other benchmarks ran: \(order)") }
        var figures: [String: Figures] = [:]
        for (place, line) in counted.enumerated() {
            let instructions = try instructions(in: "\(file).\(place + 1)")
            figures[line.name] = Figures(
                instructions: instructions / line.operations,
                allocations: Double(line.allocations) / Double(line.operations),
                opensslAllocations: Double(line.opensslAllocations) / Double(line.operations)
            )
        }
        return figures
    }

    private struct Line {
        var name: String
        var operations: Int
        var allocations: Int
        var opensslAllocations: Int
    }

    private static func lines(_ text: String) throws -> [Line] {
        try text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard words.count == 4, numbers.count == 3 else { throw Failure("micro-bench count printed '\(line)'") }
            return Line(
                name: String(words[0]),
                operations: numbers[0],
                allocations: numbers[1],
                opensslAllocations: numbers[2]
            )
        }
    }

    /// The sum that callgrind has written into a file: https://valgrind.org/docs/manual/cl-format.html
    private static func instructions(in file: String) throws -> Int {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("totals: ") || line.hasPrefix("summary: ") {
            if let sum = line.split(separator: " ").last.flatMap({ Int($0) }), sum > 0 { return sum }
        }
        throw Failure("callgrind has counted nothing in \(file)")
    }
}
