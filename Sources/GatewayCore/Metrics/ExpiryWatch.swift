// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Tells when it is time to warn of something that ends.
///
/// Of a certificate that is 30, 7 and 1 days before, and when it has expired, once a day; of a revocation list only when it
/// is too old, because such lists are often made for a day.
public struct ExpiryWatch: Sendable {
    /// Something to say.
    public struct Warning: Sendable, Equatable {
        /// A sentence.
        public var text: String
        /// How many days there are left; negative when it has expired.
        public var days: Int64
        /// When, in UTC.
        public var date: String
    }

    private struct Said {
        var threshold: Int
        var time: Int64
    }

    private static let day: Int64 = 86_400
    /// Days before, in the order in which they come.
    private static let thresholds: [Int64] = [30, 7, 1, 0]
    private static let expired = thresholds.count - 1

    private var said: [TLSExpiry: Said] = [:]

    /// Starts without having warned of anything.
    public init() {}

    /// What there is to say now.
    ///
    /// - Parameters:
    ///   - expiries: All that there is.
    ///   - now: The time, in Unix seconds.
    public mutating func warnings(_ expiries: [TLSExpiry], at now: Int64) -> [Warning] {
        // What has been replaced is forgotten.
        let present = Set(expiries)
        said = said.filter { present.contains($0.key) }
        var warnings: [Warning] = []
        for expiry in expiries {
            guard let reached = Self.threshold(of: expiry, at: now) else { continue }
            if let before = said[expiry] {
                let isNews = reached > before.threshold || reached == Self.expired
                // Clocks may be set back.
                guard isNews, now - before.time >= Self.day || now < before.time else { continue }
            }
            said[expiry] = Said(threshold: reached, time: now)
            warnings.append(Self.warning(expiry, at: now))
        }
        return warnings
    }

    private static func threshold(of expiry: TLSExpiry, at now: Int64) -> Int? {
        let left = expiry.time - now
        let reached = thresholds.lastIndex { left < $0 * day + ($0 == 0 ? 0 : 1) }
        return expiry.kind == .revocationList && reached != expired ? nil : reached
    }

    private static func warning(_ expiry: TLSExpiry, at now: Int64) -> Warning {
        let what =
            switch expiry.kind {
            case .certificate: "the certificate of \(expiry.name)"
            case .authority: "the authority \(expiry.name)"
            case .revocationList: "the revocation list of \(expiry.name)"
            }
        let left = expiry.time - now
        let days = left >= 0 ? left / day : -((-left + day - 1) / day)
        let date = UTCTime.format(expiry.time)
        let consequence =
            switch expiry.kind {
            case .certificate: "it is refused then"
            case .authority: "its certificates are refused then"
            case .revocationList: "its certificates are refused"
            }
        let text =
            left < 0
            ? "\(what) has expired; replace the file and reload (\(consequence))"
            : "\(what) expires in \(days) day\(days == 1 ? "" : "s"); replace the file and reload (\(consequence))"
        return Warning(text: text, days: days, date: date)
    }
}
