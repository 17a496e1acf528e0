// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLSEngine

@Suite struct RecordReadingTests {
    private static let keyUpdate: [UInt8] = [24, 0, 0, 1, 0]

    private static func hexadecimal(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }

    @Test("Keys and records are those of RFC 8448, section 3")
    func vectors() throws {
        let (suite, cipher) = try #require(RecordSuite.find("TLS_AES_128_GCM_SHA256"))
        let digits = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
        let payload = [UInt8](0..<50)
        let expected = Self.hexadecimal(
            """
            17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b 98 19 a8
            a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4
            """
        )
        var writing = try RecordForger.unwrap(
            RecordKeys.make(suite, cipher, RecordForger.secret(digits), isForWriting: true)
        )
        var record = [UInt8](repeating: 0, count: expected.count)
        let isSealed = record.withUnsafeMutableBytes { room in
            payload.withUnsafeBytes { writing.seal($0, type: 23, into: room) }
        }
        #expect(isSealed)
        #expect(record == expected)
        var reading = try RecordForger.unwrap(
            RecordKeys.make(suite, cipher, RecordForger.secret(digits), isForWriting: false)
        )
        var plaintext = [UInt8](repeating: 0, count: 51)
        let count = plaintext.withUnsafeMutableBytes { room in expected.withUnsafeBytes { reading.open($0, into: room) }
        }
        #expect(count == 51)
        #expect(plaintext == payload + [23])
    }

    @Test("A secret is hexadecimal, and no longer than a digest")
    func secrets() {
        for text in ["", "0", "0g", "00 0", String(repeating: "0", count: 98)] {
            let isRead = Array(text.utf8).withUnsafeBytes { TrafficSecret.read(hexadecimal: $0) != nil }
            #expect(!isRead, "\(text)")
        }
    }

    @Test(
        "Records are read however they come, and into whatever room there is",
        arguments: [1, 4, 5, 6, 100, .max],
        [1, 100, 20_000]
    )
    func pieces(chunkSize: Int, room: Int) throws {
        for suite in RecordTests.suites {
            let forger = try RecordForger(suite)
            let contents: [[UInt8]] = [[1], [UInt8](repeating: 2, count: 300), [3, 0, 0], [UInt8](4..<200)]
            var bytes: [UInt8] = []
            for (index, content) in contents.enumerated() {
                bytes += try forger.record(content, 23, padding: index * 7)
            }
            #expect(try forger.read(bytes, chunkSize: chunkSize, room: room) == contents.flatMap(\.self))
            #expect(forger.output.isEmpty)
        }
    }

    @Test("The largest record is read, with and without room for it")
    func largest() throws {
        for room in [1000, 16_384, 20_000] {
            let forger = try RecordForger()
            let content = [UInt8](repeating: 7, count: 16_384)
            let bytes = try forger.record(content, 23) + forger.record([8], 23)
            #expect(try forger.read(bytes, room: room) == content + [8])
            // What is padded up to the bound on ciphertext is read, too.
            #expect(try forger.read(forger.record([9], 23, padding: 16_640 - 16 - 2), room: room) == [9])
        }
    }

    @Test("Empty records and abandoned attempts to close are passed over, but not more than 32 without data")
    func empty() throws {
        let forger = try RecordForger()
        for _ in 0..<3 {
            var bytes: [UInt8] = []
            for index in 0..<16 {
                bytes += try forger.record([], 23, padding: index)
                bytes += try forger.record([1, 90], 21)
            }
            #expect(try forger.read(bytes).isEmpty)
            #expect(try forger.read(forger.record([5], 23)) == [5])
        }
        let many = try (0..<33).flatMap { _ in try forger.record([], 23) }
        let error = #expect(throws: TLSError.self) { _ = try forger.read(many) }
        #expect(error?.message.contains("more than 32 messages of TLS itself") == true)
    }

    @Test("KeyUpdate in pieces is understood, and answered once if an answer is wanted")
    func fragments() throws {
        for wanted in [UInt8(0), 1] {
            let forger = try RecordForger()
            let message: [UInt8] = [24, 0, 0, 1, wanted]
            for byte in message.dropLast() { #expect(try forger.read(forger.record([byte], 22)).isEmpty) }
            #expect(forger.output.isEmpty)
            #expect(try forger.read(forger.record([wanted], 22)).isEmpty)
            try forger.renew()
            #expect(try forger.read(forger.record([1, 2], 23)) == [1, 2])
            guard wanted == 1 else {
                #expect(forger.output.isEmpty)
                continue
            }
            let answer = try forger.nextAnswer()
            #expect(answer.content == Self.keyUpdate && answer.type == 22)
            #expect(forger.output.isEmpty)
        }
    }

    @Test("close_notify ends reading, and what follows is not looked at")
    func close() throws {
        let forger = try RecordForger()
        let bytes = try forger.record([1], 23) + forger.record([2, 0], 21) + forger.record([3], 23)
        #expect(try forger.read(bytes) == [1])
        #expect(forger.records.hasReceivedCloseNotify)
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var alert: UInt8
        var bytes: @Sendable (RecordForger) throws -> [UInt8]
    }

    static let wrong: [Wrong] = [
        Wrong(testDescription: "a record that is not encrypted", alert: 10) { _ in [22, 3, 3, 0, 5, 24, 0, 0, 1, 0] },
        Wrong(testDescription: "ChangeCipherSpec", alert: 10) { _ in [20, 3, 3, 0, 1, 1] },
        Wrong(testDescription: "an alert that is not encrypted", alert: 10) { _ in [21, 3, 3, 0, 2, 2, 40] },
        Wrong(testDescription: "another version", alert: 70) { _ in [23, 3, 1, 0, 40] },
        Wrong(testDescription: "a header that promises too much", alert: 22) { _ in [23, 3, 3, 0x41, 0x01] },
        Wrong(testDescription: "a record without a byte but the tag", alert: 20) { _ in
            [23, 3, 3, 0, 16] + [UInt8](repeating: 0, count: 16)
        },
        Wrong(testDescription: "no length", alert: 20) { _ in [23, 3, 3, 0, 0] },
        Wrong(testDescription: "a changed header", alert: 20) { forger in
            var record = try forger.record([1, 2, 3], 23)
            record[4] -= 1
            return record
        },
        Wrong(testDescription: "a changed byte", alert: 20) { forger in
            var record = try forger.record([1, 2, 3], 23)
            record[6] ^= 0x80
            return record
        },
        Wrong(testDescription: "nothing but zeros", alert: 10) { forger in try forger.record([], 0, padding: 30) },
        Wrong(testDescription: "more data than a record may hold", alert: 22) { forger in
            try forger.record([UInt8](repeating: 1, count: 16_385), 23)
        },
        Wrong(testDescription: "an unknown type", alert: 10) { forger in try forger.record([1], 24) },
        Wrong(testDescription: "ChangeCipherSpec, encrypted", alert: 10) { forger in try forger.record([1], 20) },
        Wrong(testDescription: "an alert of one byte", alert: 50) { forger in try forger.record([1], 21) },
        Wrong(testDescription: "two alerts in one record", alert: 50) { forger in try forger.record([1, 90, 1, 90], 21)
        },
        Wrong(testDescription: "an empty handshake record", alert: 10) { forger in try forger.record([], 22) },
        Wrong(testDescription: "a new ClientHello", alert: 10) { forger in try forger.record([1, 0, 0, 1, 0], 22) },
        Wrong(testDescription: "a certificate", alert: 10) { forger in try forger.record([11, 0, 0, 4, 0, 0, 0, 0], 22)
        },
        Wrong(testDescription: "KeyUpdate that wants something else", alert: 47) { forger in
            try forger.record([24, 0, 0, 1, 2], 22)
        },
        Wrong(testDescription: "KeyUpdate of another length", alert: 50) { forger in
            try forger.record([24, 0, 0, 2, 0], 22)
        },
        Wrong(testDescription: "something behind KeyUpdate", alert: 10) { forger in
            try forger.record(Self.keyUpdate + [24], 22)
        },
        Wrong(testDescription: "data in the middle of KeyUpdate", alert: 10) { forger in
            try forger.record([24, 0], 22) + forger.record([1], 23)
        },
        Wrong(testDescription: "an alert in the middle of KeyUpdate", alert: 10) { forger in
            try forger.record([24, 0], 22) + forger.record([1, 0], 21)
        },
        Wrong(testDescription: "the old keys behind KeyUpdate", alert: 20) { forger in
            try forger.record(Self.keyUpdate, 22) + forger.record([1], 23)
        },
    ]

    @Test("A peer that does wrong is told so by an alert, and nothing of it is data", arguments: Self.wrong)
    func refusals(wrong: Wrong) throws {
        let forger = try RecordForger()
        #expect(try forger.read(forger.record([9], 23)) == [9])
        let bytes = try wrong.bytes(forger)
        let error = #expect(throws: TLSError.self) { _ = try forger.read(bytes, chunkSize: 3) }
        #expect(error?.code == .protocolViolation)
        let answer = try forger.nextAnswer()
        #expect(answer.type == 21)
        #expect(answer.content == [2, wrong.alert])
        #expect(forger.output.isEmpty)
    }
}
