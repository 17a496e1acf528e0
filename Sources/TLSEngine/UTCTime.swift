// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Points in time as text, without Foundation.
public enum UTCTime {
    /// The ISO 8601 form in UTC, in seconds: `2026-01-01T00:00:00Z`.
    ///
    /// - Parameter unixSeconds: Seconds since 1970-01-01T00:00:00Z, before or after.
    public static func format(_ unixSeconds: Int64) -> String {
        let (days, second) = unixSeconds.flooredQuotientAndRemainder(by: 86_400)
        let (year, month, day) = Self.civilDate(daysSinceEpoch: days)
        let sign = year < 0 ? "-" : ""
        return sign + Self.padded(year.magnitude, to: 4) + "-" + Self.padded(month.magnitude, to: 2) + "-"
            + Self.padded(day.magnitude, to: 2) + "T" + Self.padded((second / 3600).magnitude, to: 2) + ":"
            + Self.padded((second / 60 % 60).magnitude, to: 2) + ":" + Self.padded((second % 60).magnitude, to: 2) + "Z"
    }

    /// Years are counted from March here, so that the leap day is the last of its year; 400 years are an era.
    private static func civilDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let daysFromMarchOfYearZero: Int64 = 719_468
        let (era, dayOfEra) = (daysSinceEpoch + daysFromMarchOfYearZero).flooredQuotientAndRemainder(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    private static func padded(_ number: UInt64, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension Int64 {
    /// Division that rounds down, so that the remainder of a negative number is positive too.
    fileprivate func flooredQuotientAndRemainder(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
