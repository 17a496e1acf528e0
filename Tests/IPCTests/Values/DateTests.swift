// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Dates")
struct DateTests {
    /// What Node's `toISOString()` gave.
    static let samples: [(Double, String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"), (8.64e15, "+275760-09-13T00:00:00.000Z"),
        (-8.64e15, "-271821-04-20T00:00:00.000Z"),
    ]

    @Test("A date is written as toISOString() writes it, and read back", arguments: samples)
    func sample(milliseconds: Double, text: String) throws {
        let date = IPCDate(millisecondsSince1970: milliseconds)
        #expect(date.description == text)
        #expect(try encoded(["d": date]) == ["d": IPCValue(text)])
        #expect(IPCDate(text) == date)
        #expect(try decoded([IPCDate].self, [IPCValue(text)]) == [date])
    }

    @Test("Fractions of a millisecond are dropped, towards zero")
    func fractions() {
        #expect(IPCDate(millisecondsSince1970: 1.9).iso8601 == "1970-01-01T00:00:00.001Z")
        #expect(IPCDate(millisecondsSince1970: -1.9).iso8601 == "1969-12-31T23:59:59.999Z")
    }

    @Test("Every day of 400 years is the one after the day before")
    func calendar() {
        var year = 1700
        var month = 1
        var day = 1
        let first = IPCDate("1700-01-01T12:34:56.789Z")?.millisecondsSince1970 ?? .nan
        for offset in 0..<146_097 {
            let date = IPCDate(millisecondsSince1970: first + Double(offset) * 86_400_000)
            let text = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T12:34:56.789Z"
            guard date.iso8601 == text, IPCDate(text) == date else {
                Issue.record("\(text) is written \(date)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                day = 1
                month += 1
            }
            if month > 12 {
                month = 1
                year += 1
            }
        }
        #expect((year, month, day) == (2100, 1, 1))
    }

    @Test(
        "Text that toISOString() does not write is no date",
        arguments: [
            "", "2023-11-14", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20.12Z", "2023-11-14T22:13:20.123",
            "2023-11-14T22:13:20.123+00:00", "2023-11-14t22:13:20.123Z", "2023-11-14T22:13:20.123Z ",
            "2023-02-29T00:00:00.000Z", "2023-13-01T00:00:00.000Z", "2023-00-01T00:00:00.000Z",
            "2023-01-00T00:00:00.000Z", "2023-01-01T24:00:00.000Z", "2023-01-01T00:60:00.000Z",
            "2023-01-01T00:00:60.000Z", "-000000-01-01T00:00:00.000Z", "+002023-01-01T00:00:00.000Z",
            "+275760-09-13T00:00:00.001Z", "-271821-04-19T23:59:59.999Z", "+999999-12-31T00:00:00.000Z",
            "٢٠٢٣-01-01T00:00:00.000Z", "Tue Nov 14 2023",
        ]
    )
    func noDates(text: String) {
        #expect(IPCDate(text) == nil)
        #expect(decodingFailure([IPCDate].self, [IPCValue(text)]) == "dataCorrupted at [0]")
    }

    @Test("A marked date is read, from text and from milliseconds")
    func markers() throws {
        let date = IPCDate(millisecondsSince1970: 1_700_000_000_123)
        #expect(try decoded(IPCDate.self, ["$mid": 17, "source": .number(1_700_000_000_123)]) == date)
        #expect(try decoded(IPCDate.self, ["$mid": 17, "source": "2023-11-14T22:13:20.123Z"]) == date)
        #expect(try decoded(IPCDate.self, ["$mid": 17, "source": 0]) == IPCDate(millisecondsSince1970: 0))
    }

    @Test(
        "What is no date is refused",
        arguments: [
            0, true, [:], ["$mid": 17], ["$mid": 1, "source": 0], ["source": 0], ["$mid": 17, "source": .null],
            ["$mid": 17, "source": .number(8.64e15 + 1)], ["$mid": 17, "source": .number(.nan)],
            ["$mid": 17, "source": ["$mid": 17, "source": 0]], .string(IPCString(utf16: [0xd800])), .null,
        ] as [IPCValue]
    )
    func refused(value: IPCValue) {
        #expect(decodingFailure(IPCDate.self, value) == "dataCorrupted at the top")
    }

    @Test("A date JavaScript does not have is not written", arguments: [Double.nan, .infinity, 8.64e15 + 1, -1e300])
    func invalid(milliseconds: Double) {
        let date = IPCDate(millisecondsSince1970: milliseconds)
        #expect(date.iso8601 == nil && date.description == "Invalid Date")
        #expect(encodingFailure(["d": [date]]) == "invalidValue at .d[0]")
    }

    @Test("Dates are ordered by time")
    func order() {
        #expect(IPCDate(millisecondsSince1970: -1) < IPCDate(millisecondsSince1970: 0))
    }
}
