// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// One of the gateway's parts, with everything ready to be used many times.
protocol Benchmark {
    /// What the thresholds call it.
    var name: String { get }
    /// What one operation is, for people.
    var operation: String { get }
    /// How many operations are counted.
    var operations: Int { get }
    /// The part by which a threshold is above what was measured.
    var margin: Double { get }

    /// Does so many operations.
    ///
    /// - Returns: How many of them had the right result.
    mutating func run(_ operations: Int) throws -> Int
}

extension Benchmark {
    var operations: Int { 2_000 }
    var margin: Double { 0.15 }
}

/// All of them.
enum Benchmarks {
    /// Makes them ready.
    ///
    /// - Parameter certificate: Of a server, with its key.
    static func all(certificate: Certificate) throws -> [any Benchmark] {
        [
            FrameHeaders(count: 1), FrameHeaders(count: 64),
            DecodedFrames(count: 1), DecodedFrames(count: 64),
            Validation(),
            try PolicyLookUp(rules: 10, isAllowed: true), try PolicyLookUp(rules: 10, isAllowed: false),
            try PolicyLookUp(rules: 10_000, isAllowed: true), try PolicyLookUp(rules: 10_000, isAllowed: false),
            try SessionCall(),
            try PersistentStream(),
            try TLSRecords(byteCount: 60, certificate), try TLSRecords(byteCount: 64 << 10, certificate),
        ]
    }
}
