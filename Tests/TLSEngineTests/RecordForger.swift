// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLSEngine

/// A client that encrypts whatever a test wants, and the records that read it.
final class RecordForger {
    let records: TLSRecords
    let output = TLSOutput()
    private let transport: TLSTransport
    private var writing: RecordKeys
    private var answers: RecordKeys
    private var chatter = TLSChatter()

    init(_ suite: String = "TLS_AES_128_GCM_SHA256") throws {
        let (suite, cipher) = try #require(RecordSuite.find(suite))
        let byteCount = suite.digest == "SHA384" ? 48 : 32
        func keys(_ digit: String, isForWriting: Bool) throws -> RecordKeys {
            let secret = try Self.secret(String(repeating: digit, count: 2 * byteCount))
            return try Self.unwrap(RecordKeys.make(suite, cipher, secret, isForWriting: isForWriting))
        }
        records = TLSRecords(
            reading: try keys("a", isForWriting: false),
            writing: try keys("b", isForWriting: true)
        )
        writing = try keys("a", isForWriting: true)
        answers = try keys("b", isForWriting: false)
        transport = TLSTransport(output: output)
    }

    static func secret(_ digits: String) throws -> TrafficSecret {
        let text = UnsafeMutableRawBufferPointer.allocate(byteCount: digits.utf8.count, alignment: 1)
        defer { text.deallocate() }
        text.copyBytes(from: digits.utf8)
        return try unwrap(TrafficSecret.read(hexadecimal: UnsafeRawBufferPointer(text)))
    }

    struct Missing: Error {}

    static func unwrap<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
        guard let value else { throw Missing() }
        return value
    }

    /// A record with this content and type, and zeros behind it.
    func record(_ content: [UInt8], _ type: UInt8, padding: Int = 0) throws -> [UInt8] {
        // The last byte is what `seal` takes for the type.
        var inner = content + [type] + [UInt8](repeating: 0, count: padding)
        let last = inner.removeLast()
        var record = [UInt8](repeating: 0, count: 5 + inner.count + 1 + 16)
        let isSealed = record.withUnsafeMutableBytes { room in
            inner.withUnsafeBytes { writing.seal($0, type: last, into: room) }
        }
        try #require(isSealed)
        return record
    }

    func renew() throws {
        let isRenewed = writing.renew()
        try #require(isRenewed)
    }

    /// What is read of bytes that come in pieces, into a buffer of some size.
    func read(_ bytes: [UInt8], chunkSize: Int = .max, room: Int = 20_000) throws -> [UInt8] {
        var received: [UInt8] = []
        var rest = bytes[...]
        chatter.beginInput()
        repeat {
            let chunk = Array(rest.prefix(chunkSize))
            rest = rest.dropFirst(chunkSize)
            try chunk.withUnsafeBytes { chunk in
                transport.lend(chunk)
                defer { transport.takeBack(keeping: true) }
                reading: while true {
                    var plaintext = [UInt8](repeating: 0xEE, count: room)
                    let outcome = try plaintext.withUnsafeMutableBytes { room in
                        try records.read(from: transport, into: room, &chatter)
                    }
                    switch outcome {
                    case .bytes(let count): received += plaintext[..<count]
                    case .needsInput, .closed: break reading
                    }
                }
            }
        } while !rest.isEmpty
        return received
    }

    /// The content and type of the next record that was written.
    func nextAnswer() throws -> (content: [UInt8], type: UInt8) {
        var plaintext = [UInt8](repeating: 0, count: 20_000)
        let (count, taken) = try output.withUnsafeBytes { bytes -> (Int, Int) in
            try #require(bytes.count >= RecordHeader.byteCount)
            let taken = RecordHeader.byteCount + RecordHeader(bytes).bodyByteCount
            let record = UnsafeRawBufferPointer(rebasing: bytes[..<taken])
            let count = plaintext.withUnsafeMutableBytes { answers.open(record, into: $0) }
            return (try #require(count), taken)
        }
        output.consume(taken)
        return (Array(plaintext[..<(count - 1)]), plaintext[count - 1])
    }
}
