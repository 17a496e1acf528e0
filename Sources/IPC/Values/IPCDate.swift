// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A point in time, as JavaScript's `Date` has it.
///
/// VS Code's IPC sends a `Date` as a string, as `toISOString()` writes it, and never revives that (PROTOCOL 2.2); only
/// `{"$mid":17,"source":…}` is revived, which nothing in VS Code writes (PROTOCOL 6.3). So the string is what is written,
/// and both are read.
public struct IPCDate: Sendable, Hashable {
    /// Milliseconds since the 1st of January 1970 UTC, without leap seconds. JavaScript drops fractions, and has no dates
    /// beyond ±8.64 × 10¹⁵.
    public var millisecondsSince1970: Double

    /// Creates a date.
    ///
    /// - Parameter milliseconds: Since the 1st of January 1970 UTC. What JavaScript has no date for fails to encode.
    public init(millisecondsSince1970 milliseconds: Double) {
        millisecondsSince1970 = milliseconds
    }

    /// Reads a date as JavaScript's `toISOString()` writes it, and no other way.
    ///
    /// - Parameter text: Such as `1970-01-01T00:00:00.000Z`, or with a sign and six digits for years outside 0…9999.
    public init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let milliseconds = reader.date() else { return nil }
        millisecondsSince1970 = Double(milliseconds)
    }

    /// The date as JavaScript's `toISOString()` writes it; nil when JavaScript has no such date.
    public var iso8601: String? {
        let limit = Double(Self.limit)
        guard millisecondsSince1970 >= -limit, millisecondsSince1970 <= limit else { return nil }
        let milliseconds = Int(millisecondsSince1970)
        let days = CivilDate.floorDivide(milliseconds, Self.millisecondsPerDay)
        let date = CivilDate(daysSince1970: days)
        let time = milliseconds - days * Self.millisecondsPerDay
        let year =
            (0...9999).contains(date.year)
            ? Self.padded(date.year, 4) : (date.year < 0 ? "-" : "+") + Self.padded(abs(date.year), 6)
        let clock = [time / 3_600_000, time / 60_000 % 60, time / 1_000 % 60].map { Self.padded($0, 2) }
        return "\(year)-\(Self.padded(date.month, 2))-\(Self.padded(date.day, 2))T"
            + "\(clock.joined(separator: ":")).\(Self.padded(time % 1_000, 3))Z"
    }

    /// The farthest JavaScript's dates reach.
    fileprivate static let limit = 8_640_000_000_000_000
    fileprivate static let millisecondsPerDay = 86_400_000

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension IPCDate {
    /// Takes the text of a date apart.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// Reads the whole text; returns the milliseconds since 1970.
        mutating func date() -> Int? {
            guard let year = year(), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
                let date = CivilDate(year: year, month: month, day: day),
                skip("T"), let hour = digits(2), hour < 24,
                skip(":"), let minute = digits(2), minute < 60,
                skip(":"), let second = digits(2), second < 60,
                skip("."), let millisecond = digits(3), skip("Z"), rest.isEmpty
            else { return nil }
            let time = ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond
            let milliseconds = date.daysSince1970 * IPCDate.millisecondsPerDay + time
            return abs(milliseconds) <= IPCDate.limit ? milliseconds : nil
        }

        private mutating func year() -> Int? {
            if skip("+") {
                // The form is for years the short one does not reach.
                return digits(6).flatMap { $0 > 9999 ? $0 : nil }
            }
            if skip("-") {
                return digits(6).flatMap { $0 > 0 ? -$0 : nil }
            }
            return digits(4)
        }

        private mutating func digits(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            var number = 0
            for byte in rest.prefix(count) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
            }
            rest = rest.dropFirst(count)
            return number
        }

        private mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest = rest.dropFirst()
            return true
        }
    }
}

extension IPCDate: Comparable {
    /// Whether one date is before another.
    public static func < (left: IPCDate, right: IPCDate) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }
}

extension IPCDate: CustomStringConvertible {
    /// The date as ``iso8601``, or what JavaScript prints when there is no such date.
    public var description: String {
        iso8601 ?? "Invalid Date"
    }
}

extension IPCDate: Codable {
    /// Reads a date.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` for what is neither a string as `toISOString()` writes it, nor an object whose `$mid` is 17
    ///   and whose `source` is such a string or a number of milliseconds JavaScript has a date for.
    public init(from decoder: any Decoder) throws {
        let value = try IPCValue(from: decoder)
        let source: IPCValue? = IPCMarker.kind(of: value) == .date ? value["source"] : value
        let date: IPCDate? =
            switch source {
            case .string(let text)?:
                text.string.flatMap { IPCDate($0) }
            case .int, .number:
                // A bare number may count anything, seconds for instance.
                value.object == nil ? nil : source?.double.map { IPCDate(millisecondsSince1970: $0) }
            default:
                nil
            }
        guard let date, date.iso8601 != nil else {
            throw DecodingError.corrupted(decoder.codingPath, "Not a date as JavaScript writes it.")
        }
        self = date
    }

    /// Writes the date as a string.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: `EncodingError.invalidValue` when JavaScript has no such date; VS Code would send `null`.
    public func encode(to encoder: any Encoder) throws {
        guard let iso8601 else {
            throw EncodingError.invalidValue(
                self,
                EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "JavaScript has no such date.")
            )
        }
        var container = encoder.singleValueContainer()
        try container.encode(iso8601)
    }
}
