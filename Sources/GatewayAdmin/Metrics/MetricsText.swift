// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Writes Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
struct MetricsText {
    /// What a metric is.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// What goes with the format.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    private static let prefix = "ipc_gateway_"

    private(set) var bytes: [UInt8] = []
    private var name = ""

    /// Begins a metric; the samples that follow are its own.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.name = Self.prefix + name
        let escaped = Self.escaped(help, quotes: false)
        bytes += "# HELP \(self.name) \(escaped)\n# TYPE \(self.name) \(kind.rawValue)\n".utf8
    }

    /// A metric with one sample.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
        begin(name, kind, help)
        sample([], value)
    }

    /// A sample of the metric that was begun last.
    ///
    /// - Parameters:
    ///   - labels: Their names and values.
    ///   - value: A number, as ``seconds(_:)`` gives it or whole.
    ///   - suffix: What is added to the name: `_bucket`, `_sum` or `_count` of a histogram.
    mutating func sample(_ labels: [(String, String)], _ value: some CustomStringConvertible, suffix: String = "") {
        bytes += (name + suffix).utf8
        if !labels.isEmpty {
            let texts = labels.map { "\($0.0)=\"\(Self.escaped($0.1, quotes: true))\"" }
            bytes += "{\(texts.joined(separator: ","))}".utf8
        }
        bytes += " \(value.description)\n".utf8
    }

    /// A histogram of times.
    ///
    /// - Parameters:
    ///   - labels: Labels beside the bound.
    ///   - bounds: Upper bounds in nanoseconds.
    ///   - counts: How many there are in each bucket, and above the last.
    ///   - sum: All times together, in nanoseconds.
    mutating func histogram(_ labels: [(String, String)], _ bounds: [UInt64], _ counts: [Int], sum: UInt64) {
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Self.seconds(bounds[index]) : "+Inf"
            sample(labels + [("le", bound)], total, suffix: "_bucket")
        }
        sample(labels, Self.seconds(sum), suffix: "_sum")
        sample(labels, total, suffix: "_count")
    }

    /// Nanoseconds as seconds, exactly.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return "\(whole)" }
        let digits = String(rest)
        var fraction = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while fraction.utf8.last == UInt8(ascii: "0") { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
