// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// So much later; the end of time is never passed.
    func later(by duration: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(duration)
        return overflow ? .max : sum
    }
}

extension Duration {
    /// In nanoseconds, as sessions count time; 0 for a negative one.
    var sessionTime: UInt64 {
        guard self > .zero else { return 0 }
        guard self < .seconds(1_000_000_000) else { return .max }
        return UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000)
    }
}
