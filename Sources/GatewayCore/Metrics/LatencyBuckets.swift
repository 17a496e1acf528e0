// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// How long calls took, in fixed buckets.
public enum LatencyBuckets {
    /// The upper bounds, in nanoseconds; what is above the last is in one bucket more.
    public static let bounds: [UInt64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
        60_000_000_000,
    ]

    /// How many buckets there are.
    public static let count = bounds.count + 1

    /// About how long the given share of calls took at most, by linear interpolation within a bucket, as Prometheus'
    /// `histogram_quantile` does it.
    ///
    /// - Parameters:
    ///   - share: From 0 to 1.
    ///   - counts: How many calls each bucket has.
    /// - Returns: Nanoseconds; nil when there are no calls.
    public static func quantile(_ share: Double, of counts: [Int]) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0, counts.count == count else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            guard below + Double(count) >= rank else {
                below += Double(count)
                continue
            }
            guard index < bounds.count else { break }
            let lower = index == 0 ? 0 : Double(bounds[index - 1])
            return lower + (Double(bounds[index]) - lower) * max(0, rank - below) / Double(count)
        }
        return bounds.last.map { Double($0) }
    }
}
