// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The records of a TLS 1.3 connection after its handshake, as a server reads and writes them (RFC 8446, 4.6.3, 5 and 6).
///
/// OpenSSL makes the handshake, and does every cipher. What is done here is what is left when nothing is negotiated any
/// more: cut records out, number them, take their type off, and deal with the two things that may come beside data,
/// KeyUpdate and alerts. OpenSSL's own records cost more than twice the instructions for a small message, two copies of each
/// byte, and more than 20 KiB for a connection that says nothing.
final class TLSRecords {
    /// RFC 8446, 5.2: what encryption may add.
    private static let largestBody = RecordHeader.largestPlaintext + 256
    /// RFC 8446, 5.5: with AES-GCM some 2^24.5 full records are safe. After fewer the keys are renewed.
    static let recordsPerKey: UInt64 = 1 << 23

    #if !DEBUG  // Every record needs it; Package.swift says why there are no checks.
    @exclusivity(unchecked)
    #endif
    var reading: RecordKeys
    #if !DEBUG  // Every record needs it; Package.swift says why there are no checks.
    @exclusivity(unchecked)
    #endif
    private var writing: RecordKeys
    /// How many records are written before the keys are renewed.
    var recordsPerKey = TLSRecords.recordsPerKey
    /// Decrypted bytes that the last read had no room for; `spillStart` of them are read.
    private var spill: [UInt8] = []
    private var spillStart = 0
    /// The beginning of a handshake message that goes on in the next record.
    var fragment: [UInt8] = []
    var hasReceivedCloseNotify = false
    private(set) var hasSentCloseNotify = false

    init(reading: consuming RecordKeys, writing: consuming RecordKeys) {
        self.reading = reading
        self.writing = writing
    }

    // MARK: Writing

    /// Encrypts data into records that are as large as they may be.
    func write(_ plaintext: UnsafeRawBufferPointer, to output: TLSOutput) throws(TLSError) {
        var rest = plaintext
        while !rest.isEmpty {
            if self.writing.recordCount >= self.recordsPerKey { try self.renewOwnKeys(output) }
            let count = min(rest.count, RecordHeader.largestPlaintext)
            try self.seal(.data, UnsafeRawBufferPointer(rebasing: rest[..<count]), to: output)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func sendCloseNotify(to output: TLSOutput) {
        self.sendAlert(SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY, to: output)
        self.hasSentCloseNotify = true
    }

    /// Nothing is sent behind close_notify.
    private func sendAlert(_ level: Int32, _ alert: Int32, to output: TLSOutput) {
        guard !self.hasSentCloseNotify else { return }
        // It can only fail when there is no memory, and then the peer hears nothing.
        try? self.send(.alert, [UInt8(truncatingIfNeeded: level), UInt8(truncatingIfNeeded: alert)], to: output)
    }

    /// Says that new keys follow, and goes on with them.
    func renewOwnKeys(_ output: TLSOutput) throws(TLSError) {
        try self.send(.handshake, KeyUpdate.notRequested, to: output)
        guard self.writing.renew() else { throw Self.failure("encrypt") }
    }

    private func send(_ type: ContentType, _ message: [UInt8], to output: TLSOutput) throws(TLSError) {
        let isSealed = message.withUnsafeBytes { self.isSealed(type, $0, to: output) }
        guard isSealed else { throw Self.failure("encrypt") }
    }

    private func seal(_ type: ContentType, _ plaintext: UnsafeRawBufferPointer, to output: TLSOutput) throws(TLSError) {
        guard self.isSealed(type, plaintext, to: output) else { throw Self.failure("encrypt") }
    }

    private func isSealed(_ type: ContentType, _ plaintext: UnsafeRawBufferPointer, to output: TLSOutput) -> Bool {
        let byteCount = RecordHeader.byteCount + plaintext.count + 1 + RecordKeys.tagByteCount
        return output.append(byteCount: byteCount) { self.writing.seal(plaintext, type: type.rawValue, into: $0) }
    }

    static func failure(_ what: String) -> TLSError {
        TLSError(code: .other, message: "OpenSSL cannot \(what): \(OpenSSLErrors.take().text)")
    }

    // MARK: Reading

    /// Decrypted bytes that nobody has read yet.
    var pendingByteCount: Int { self.spill.count - self.spillStart }

    /// What records for so much plaintext have at least: the largest that there may be, without padding.
    func leastByteCount(forPlaintext count: Int) -> Int {
        let records = (count + RecordHeader.largestPlaintext - 1) / RecordHeader.largestPlaintext
        return count + records * (RecordHeader.byteCount + 1 + RecordKeys.tagByteCount)
    }

    /// Decrypts one record of data, after those of TLS itself that are before it.
    ///
    /// - Parameter room: More than no bytes.
    /// - Throws: What the peer did wrong; it has been told.
    func read(
        from transport: TLSTransport,
        into room: UnsafeMutableRawBufferPointer,
        _ chatter: inout TLSChatter
    ) throws(TLSError) -> TLSSession.ReadOutcome {
        if self.pendingByteCount > 0 { return .bytes(self.readSpill(into: room)) }
        while !self.hasReceivedCloseNotify {
            guard let header = transport.nextHeader() else { return .needsInput }
            try self.check(header, transport.output)
            guard let record = transport.takeRecord(header) else { return .needsInput }
            let count = try self.open(record, into: room, transport.output, &chatter)
            if count > 0 { return .bytes(count) }
        }
        return .closed
    }

    private func check(_ header: RecordHeader, _ output: TLSOutput) throws(TLSError) {
        guard header.type == ContentType.data.rawValue else {
            throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, "the peer sent a record that is not encrypted", output)
        }
        guard header.hasVersion else {
            throw self.refuse(SSL_AD_PROTOCOL_VERSION, "the peer sent a record of another version", output)
        }
        guard header.bodyByteCount <= Self.largestBody else {
            let message = "the peer sent a record of \(header.bodyByteCount) bytes"
            throw self.refuse(SSL_AD_RECORD_OVERFLOW, message, output)
        }
        guard header.bodyByteCount > RecordKeys.tagByteCount else {
            throw self.refuse(SSL_AD_BAD_RECORD_MAC, "the peer sent a record that is too short", output)
        }
    }

    /// - Returns: How many bytes of data are in the room now; the rest of the record is kept.
    private func open(
        _ record: UnsafeRawBufferPointer,
        into room: UnsafeMutableRawBufferPointer,
        _ output: TLSOutput,
        _ chatter: inout TLSChatter
    ) throws(TLSError) -> Int {
        let byteCount = record.count - RecordHeader.byteCount - RecordKeys.tagByteCount
        guard room.count < byteCount else { return try self.open(record, intoAll: room, output, &chatter) }
        let large = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { large.deallocate() }
        let count = try self.open(record, intoAll: large, output, &chatter)
        self.spill = Array(large[..<count])
        return self.readSpill(into: room)
    }

    private func readSpill(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(self.pendingByteCount, room.count)
        room.copyBytes(from: self.spill[self.spillStart..<self.spillStart + count])
        self.spillStart += count
        if self.pendingByteCount == 0 { (self.spill, self.spillStart) = ([], 0) }
        return count
    }

    /// - Parameter room: For the whole record.
    /// - Returns: How many bytes of data there are.
    private func open(
        _ record: UnsafeRawBufferPointer,
        intoAll room: UnsafeMutableRawBufferPointer,
        _ output: TLSOutput,
        _ chatter: inout TLSChatter
    ) throws(TLSError) -> Int {
        guard var count = self.reading.open(record, into: room) else {
            OpenSSLErrors.clear()
            let message = "a record was changed on its way, or does not belong to this connection"
            throw self.refuse(SSL_AD_BAD_RECORD_MAC, message, output)
        }
        // Behind the type there may be zeros.
        while count > 0, room[count - 1] == 0 { count -= 1 }
        guard count > 0 else {
            throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, "the peer sent a record without a type", output)
        }
        count -= 1
        guard count <= RecordHeader.largestPlaintext else {
            throw self.refuse(SSL_AD_RECORD_OVERFLOW, "the peer sent a record with \(count) bytes in it", output)
        }
        if room[count] == ContentType.data.rawValue, count > 0, self.fragment.isEmpty {
            chatter.noteData()
            return count
        }
        chatter.noteMessage()
        guard !chatter.isTooMuch else { throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, TLSChatter.message, output) }
        try self.receive(room[count], UnsafeRawBufferPointer(rebasing: room[..<count]), output)
        return 0
    }

    /// Tells the peer what it did wrong.
    func refuse(_ alert: Int32, _ message: String, _ output: TLSOutput) -> TLSError {
        self.sendAlert(SSL3_AL_FATAL, alert, to: output)
        return TLSError(code: .protocolViolation, message: message)
    }
}
