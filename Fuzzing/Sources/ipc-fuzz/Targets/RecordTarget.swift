// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

@testable import TLSEngine

/// Records of a client that has the keys and says anything: data, messages of TLS, padding, forged and garbled records,
/// in pieces of any size, read into room of any size. What comes out is what a table of the rules says.
enum RecordTarget {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let suite = RecordSuite.all[reader.byte() % RecordSuite.all.count]
        let sizes = reader.piece()
        guard let client = Client(suite), let server = Client(suite, isServer: true) else {
            return require(false, "keys can be made")
        }
        var expected = Expected()
        var stream: [UInt8] = []
        while !reader.isAtEnd { stream += client.next(&reader, &expected) }

        let output = TLSOutput()
        let records = server.records()
        let outcome = read(stream, sizes, records, output)
        require(outcome.data == expected.data, "the data is \(expected.data), not \(outcome.data)")
        // The defect: what is behind KeyUpdate in its record is let be.
        let isLetBe = Target.isSpoiled && expected.hasRestBehindUpdate
        require(!isLetBe && outcome.end == expected.end, "the end is \(expected.end), not \(outcome.end)")
        require(server.answers(output) == expected.answers, "the answers are \(expected.answers)")
    }

    /// How reading ended.
    enum End: Equatable {
        case waits
        case closed
        case refused
    }

    private static func read(
        _ stream: [UInt8],
        _ sizes: [UInt8],
        _ records: TLSRecords,
        _ output: TLSOutput
    ) -> (data: [UInt8], end: End) {
        let transport = TLSTransport(output: output)
        var chatter = TLSChatter()
        var data: [UInt8] = []
        var position = 0
        var piece = 0
        while position < stream.count {
            let size = sizes.isEmpty ? stream.count : Int(sizes[piece % sizes.count]) + 1
            piece += 1
            let end = min(stream.count, position + size)
            // Of other sizes than the pieces.
            let room = sizes.isEmpty ? 17_000 : Int(sizes[(piece + 1) % sizes.count]) * 3 + 1
            do {
                let isClosed = try stream[position..<end].withUnsafeBytes { bytes in
                    transport.lend(bytes)
                    defer { transport.takeBack(keeping: true) }
                    while true {
                        var plaintext = [UInt8](repeating: 0xEE, count: room)
                        let outcome = try plaintext.withUnsafeMutableBytes { room in
                            try records.read(from: transport, into: room, &chatter)
                        }
                        switch outcome {
                        case .bytes(let count): data += plaintext[..<count]
                        case .needsInput: return false
                        case .closed: return true
                        }
                    }
                }
                if isClosed { return (data, .closed) }
            } catch {
                return (data, .refused)
            }
            position = end
        }
        return (data, .waits)
    }
}

/// What the rules say of what the client has sent.
private struct Expected {
    var data: [UInt8] = []
    var end = RecordTarget.End.waits
    /// Content and type of what the server says to it.
    var answers: [[UInt8]] = []
    var fragment: [UInt8] = []
    var messageCount = 0
    var hasRestBehindUpdate = false

    mutating func refuse(_ alert: UInt8) {
        end = .refused
        answers.append([2, alert, 21])
    }

    /// - Returns: Whether the client's keys are renewed.
    mutating func receive(_ content: [UInt8], _ type: UInt8) -> Bool {
        guard end == .waits else { return false }
        if type == 23, !content.isEmpty, fragment.isEmpty {
            data += content
            return false
        }
        messageCount += 1
        if messageCount > 32 {
            refuse(10)
        } else if type == 22, !content.isEmpty {
            return receiveHandshake(content)
        } else if !fragment.isEmpty {
            refuse(10)
        } else if type == 21 {
            if content.count != 2 {
                refuse(50)
            } else if content[1] == 0 {
                end = .closed
            } else if content[1] != 90 {
                end = .refused
            }
        } else if type != 23 {
            refuse(10)
        }
        return false
    }

    private mutating func receiveHandshake(_ content: [UInt8]) -> Bool {
        fragment += content
        if fragment[0] != 24 || fragment.count > 5 {
            hasRestBehindUpdate = fragment[0] == 24
            refuse(10)
        } else if fragment.count == 5 {
            if Array(fragment[1...3]) != [0, 0, 1] {
                refuse(50)
            } else if fragment[4] > 1 {
                refuse(47)
            } else {
                if fragment[4] == 1 { answers.append([24, 0, 0, 1, 0, 22]) }
                fragment = []
                return true
            }
        }
        return false
    }
}

/// One end's view of the keys: to write as the client, or to read what the server has said to it.
private final class Client {
    private let suite: RecordSuite
    private let cipher: OpaquePointer
    private var writing: RecordKeys

    init?(_ suite: RecordSuite, isServer: Bool = false) {
        guard let cipher = RecordSuite.find(suite.name)?.cipher,
            let keys = Self.keys(suite, cipher, isServer ? "b" : "a", isForWriting: true)
        else { return nil }
        self.suite = suite
        self.cipher = cipher
        writing = keys
    }

    private static func keys(
        _ suite: RecordSuite,
        _ cipher: OpaquePointer,
        _ digit: Character,
        isForWriting: Bool
    ) -> RecordKeys? {
        let digits = Array(String(repeating: digit, count: suite.digest == "SHA384" ? 96 : 64).utf8)
        let text = UnsafeMutableRawBufferPointer.allocate(byteCount: digits.count, alignment: 1)
        defer { text.deallocate() }
        text.copyBytes(from: digits)
        guard let secret = TrafficSecret.read(hexadecimal: UnsafeRawBufferPointer(text)) else { return nil }
        return RecordKeys.make(suite, cipher, secret, isForWriting: isForWriting)
    }

    func records() -> TLSRecords {
        guard let reading = Self.keys(suite, cipher, "a", isForWriting: false),
            let writing = Self.keys(suite, cipher, "b", isForWriting: true)
        else { fatalError("keys were made before") }
        return TLSRecords(reading: reading, writing: writing)
    }

    /// A record as the input wants it, and what is to be expected of it.
    func next(_ reader: inout InputReader, _ expected: inout Expected) -> [UInt8] {
        let kind = reader.byte()
        guard kind % 8 != 5 else { return garbage(&reader, &expected) }
        let types: [UInt8] = [23, 22, 21, 23, 23, 0, 0, 23]
        let padding = reader.byte() * (kind % 8 == 3 ? 60 : 1)
        var content = reader.piece()
        let type = kind % 8 == 6 ? UInt8(reader.byte()) : types[kind % 8]
        if kind % 8 == 7 { content = [UInt8](repeating: 7, count: content.count * 66) }
        let inner = content + [type] + [UInt8](repeating: 0, count: padding)
        var record = seal(inner)
        if kind % 8 == 4 {
            record[record.count - 1 - padding % 16] ^= 1
            if expected.end == .waits { expected.refuse(20) }
            return record
        }
        // Without a type it is the last byte that is none that is taken for it.
        let last = inner.lastIndex { $0 != 0 }
        if inner.count > 16_640 - 16 {
            if expected.end == .waits { expected.refuse(22) }
        } else if let last {
            if expected.end == .waits, last > 16_384 {
                expected.refuse(22)
            } else if expected.receive(Array(inner[..<last]), inner[last]), !writing.renew() {
                fatalError("keys are renewed")
            }
        } else if expected.end == .waits {
            expected.refuse(10)
        }
        return record
    }

    private func seal(_ inner: [UInt8]) -> [UInt8] {
        var plaintext = inner
        let last = plaintext.removeLast()
        var record = [UInt8](repeating: 0, count: 5 + inner.count + 16)
        let isSealed = record.withUnsafeMutableBytes { room in
            plaintext.withUnsafeBytes { writing.seal($0, type: last, into: room) }
        }
        require(isSealed, "a record is encrypted")
        return record
    }

    /// Four bytes of a header and a body that nobody has encrypted.
    private func garbage(_ reader: inout InputReader, _ expected: inout Expected) -> [UInt8] {
        let head = [UInt8(reader.byte()), UInt8(reader.byte()), UInt8(reader.byte())]
        let length = reader.byte() * 80
        if expected.end == .waits {
            if head[0] != 23 {
                expected.refuse(10)
            } else if head[1...] != [3, 3] {
                expected.refuse(70)
            } else {
                expected.refuse(length > 16_640 ? 22 : 20)
            }
        }
        return head + [UInt8(length >> 8), UInt8(length & 0xff)] + [UInt8](repeating: 5, count: length)
    }

    /// What the server has said, decrypted.
    func answers(_ output: TLSOutput) -> [[UInt8]] {
        guard var reading = Self.keys(suite, cipher, "b", isForWriting: false) else { return [] }
        var answers: [[UInt8]] = []
        let bytes = output.withUnsafeBytes { Array($0) }
        var position = 0
        while position < bytes.count {
            let end = position + 5 + Int(bytes[position + 3]) << 8 + Int(bytes[position + 4])
            var plaintext = [UInt8](repeating: 0, count: end - position)
            let count = bytes[position..<end].withUnsafeBytes { record in
                plaintext.withUnsafeMutableBytes { reading.open(record, into: $0) }
            }
            guard let count else { return answers + [[]] }
            answers.append(Array(plaintext[..<count]))
            if plaintext[count - 1] == 22, !reading.renew() { return answers + [[]] }
            position = end
        }
        return answers
    }
}
