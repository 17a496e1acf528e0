// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Points in time as text, without Foundation.
public enum UTCTime {
    /// The ISO 8601 form in UTC, in seconds: `2026-01-01T00:00:00Z`.
    ///
    /// - Parameter unixSeconds: Seconds since 1970-01-01T00:00:00Z, before or after.
    public static func format(_ unixSeconds: Int64) -> String {
        var text: [UInt8] = []
        Self.append(unixSeconds, to: &text)
        return String(decoding: text, as: UTF8.self) + "Z"
    }

    /// Appends the same without the `Z`, so that a fraction can follow; allocates nothing where there is room.
    ///
    /// - Parameters:
    ///   - unixSeconds: Seconds since 1970-01-01T00:00:00Z, before or after.
    ///   - output: What the text is appended to.
    public static func append(_ unixSeconds: Int64, to output: inout [UInt8]) {
        let (days, second) = unixSeconds.flooredQuotientAndRemainder(by: 86_400)
        let (year, month, day) = Self.civilDate(daysSinceEpoch: days)
        if year < 0 { output.append(UInt8(ascii: "-")) }
        Self.append(year.magnitude, width: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        Self.append(month.magnitude, width: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        Self.append(day.magnitude, width: 2, to: &output)
        output.append(UInt8(ascii: "T"))
        Self.append((second / 3600).magnitude, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Self.append((second / 60 % 60).magnitude, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Self.append((second % 60).magnitude, width: 2, to: &output)
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

    private static func append(_ number: UInt64, width: Int, to output: inout [UInt8]) {
        if number > 9 || width > 1 { Self.append(number / 10, width: width - 1, to: &output) }
        output.append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}

extension Int64 {
    /// Division that rounds down, so that the remainder of a negative number is positive too.
    fileprivate func flooredQuotientAndRemainder(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
