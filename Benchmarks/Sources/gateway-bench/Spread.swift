// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Measurements of the same thing.
struct Spread {
    private let sorted: [Double]

    /// - Parameter values: At least one.
    init(_ values: [Double]) {
        sorted = values.sorted()
    }

    /// The value that this share of all does not exceed, between two of them if it lies there.
    func percentile(_ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let (below, above) = (sorted[Int(place)], sorted[min(sorted.count - 1, Int(place) + 1)])
        return below + (above - below) * (place - place.rounded(.down))
    }

    var median: Double { percentile(0.5) }
    var maximum: Double { percentile(1) }

    /// The median, and the quartiles in parentheses.
    func text(digits: Int) -> String {
        String(format: "%.\(digits)f (%.\(digits)f–%.\(digits)f)", median, percentile(0.25), percentile(0.75))
    }
}
