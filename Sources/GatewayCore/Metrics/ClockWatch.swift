// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Notices that the system's clock was set.
///
/// Deadlines do not follow that clock, so nothing ends sooner or later for it. Certificates and revocation lists do: it has
/// to be known from the log why they are refused all at once.
public struct ClockWatch: Sendable {
    /// What a clock may be off by between two looks without having been set, in nanoseconds: it is kept right by a little all
    /// the time.
    private static let tolerance: Int64 = 2_000_000_000

    private var offset: Int64

    /// Takes the clock as it is.
    ///
    /// - Parameter offset: The time in nanoseconds since 1970, less that of a clock that nobody sets.
    public init(offset: Int64) {
        self.offset = offset
    }

    /// Looks at the clock again.
    ///
    /// - Parameter offset: As at the beginning.
    /// - Returns: By how many seconds it was set since the last look, forward or back; nil when it was not.
    public mutating func jump(to offset: Int64) -> Int64? {
        let difference = offset - self.offset
        self.offset = offset
        guard difference.magnitude > UInt64(Self.tolerance) else { return nil }
        return Int64((Double(difference) / 1e9).rounded())
    }
}
