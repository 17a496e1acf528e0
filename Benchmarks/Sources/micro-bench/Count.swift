// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CAllocations

/// `micro-bench count`: runs the benchmarks in this process and prints how often each, and OpenSSL in it, allocated.
/// Under callgrind, which is told the name of the measured function, each leaves a file with its instructions.
struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the benchmarks once.", shouldDisplay: false)

    @Option(help: "The folder of the certificate.")
    var folder: String

    @Option(help: "Only this benchmark.")
    var only: String?

    @Option(help: "Abort at this allocation of the measured part, for a debugger.")
    var stopAt: UInt = 0

    func run() throws {
        for benchmark in try Benchmarks.all(certificate: Certificate(in: folder))
        where only == nil || only == benchmark.name {
            let region = Region(benchmark, stopAt: stopAt)
            try region.warmUp()
            let count = try region.measure()
            print("\(benchmark.name) \(benchmark.operations) \(count.others) \(count.openssl)")
        }
    }
}

/// What is measured of one benchmark.
private final class Region {
    private var benchmark: any Benchmark
    private let stopAt: UInt
    private var right = Result<Int, any Error>.success(0)
    private var count = allocations()

    init(_ benchmark: any Benchmark, stopAt: UInt) {
        self.benchmark = benchmark
        self.stopAt = stopAt
    }

    /// Buffers get the size they keep, symbols are looked up.
    func warmUp() throws {
        for _ in 0..<2 { try check(try benchmark.run(benchmark.operations)) }
    }

    /// - Returns: How many allocations there were.
    func measure() throws -> allocations {
        let context = Unmanaged.passUnretained(self).toOpaque()
        measured_region({ Unmanaged<Region>.fromOpaque($0).takeUnretainedValue().runMeasured() }, context)
        try check(try right.get())
        return count
    }

    private func runMeasured() {
        let operations = benchmark.operations
        stop_at_allocation(stopAt)
        let before = counted_allocations()
        right = Result { try benchmark.run(operations) }
        let after = counted_allocations()
        count = allocations(others: after.others - before.others, openssl: after.openssl - before.openssl)
        stop_at_allocation(0)
    }

    private func check(_ right: Int) throws {
        guard right == benchmark.operations else {
            throw Failure("\(benchmark.name): \(right) of \(benchmark.operations) results are right")
        }
    }
}
