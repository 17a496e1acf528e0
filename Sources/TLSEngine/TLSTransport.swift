// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What OpenSSL reads from and writes to in place of a socket: the ciphertext that the shell lends for the length of a
/// call, what was left of it last time, and the shell's output.
///
/// Owned by one `TLSSession`; the BIO refers to it without owning it and is freed by the session's `deinit`.
final class TLSTransport {
    var output: TLSOutput
    private var borrowed = UnsafeRawBufferPointer(start: nil, count: 0)
    // Nothing is kept in the usual case, so no memory either.
    #if !DEBUG  // Every record needs it; Package.swift says why there are no checks.
    @exclusivity(unchecked)
    #endif
    private var kept = AlignedBuffer(keptCapacity: 0)
    /// The very first bytes of the peer, to tell what it speaks when it is not TLS.
    private(set) var firstBytes: [UInt8] = []
    private static let firstByteCount = 8
    private var keepsFirstBytes = true
    /// Counts the records that OpenSSL sends; nil while they need not be counted.
    var sentRecords: RecordCounter?
    /// How much of what is kept was handed out as a record, and goes before the next one.
    private var handedByteCount = 0
    /// Whether OpenSSL gets nothing more, whatever there is.
    var isExhausted = false
    /// Whether OpenSSL has got something since this was set to false.
    var hasDelivered = false

    init(output: TLSOutput) {
        self.output = output
    }

    var keptByteCount: Int { self.kept.count - self.handedByteCount }

    var unreadByteCount: Int { self.keptByteCount + self.borrowed.count }

    func lend(_ ciphertext: UnsafeRawBufferPointer) {
        if self.keepsFirstBytes, self.firstBytes.count < Self.firstByteCount {
            self.firstBytes += ciphertext.prefix(Self.firstByteCount - self.firstBytes.count)
        }
        self.borrowed = ciphertext
    }

    /// The peer speaks TLS.
    func forgetFirstBytes() {
        self.keepsFirstBytes = false
        self.firstBytes = []
    }

    func takeBack(keeping isKept: Bool) {
        self.dropHanded()
        if isKept {
            self.kept.append(self.borrowed)
        } else {
            self.kept.consume(self.kept.count)
        }
        self.borrowed = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// - Returns: How many bytes were copied; 0 when there are none.
    func read(into destination: UnsafeMutableRawBufferPointer) -> Int {
        guard !self.isExhausted else { return 0 }
        self.hasDelivered = true
        let count = min(self.kept.count, destination.count)
        if count > 0 {
            destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: self.kept.bytes[..<count]))
            self.kept.consume(count)
            return count
        }
        let fresh = min(self.borrowed.count, destination.count)
        if fresh > 0 {
            destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: self.borrowed[..<fresh]))
            self.borrowed = UnsafeRawBufferPointer(rebasing: self.borrowed[fresh...])
        }
        return fresh
    }
}

// MARK: Records

extension TLSTransport {
    /// The header of the next record, as soon as it has come.
    func nextHeader() -> RecordHeader? {
        self.dropHanded()
        guard self.kept.count > 0 else {
            return self.borrowed.count < RecordHeader.byteCount ? nil : RecordHeader(self.borrowed)
        }
        self.keep(upTo: RecordHeader.byteCount)
        return self.kept.count < RecordHeader.byteCount ? nil : RecordHeader(self.kept.bytes)
    }

    /// The next record, as soon as all of it has come: where it is, so until the next call of any method.
    ///
    /// - Parameter header: Its header.
    func takeRecord(_ header: RecordHeader) -> UnsafeRawBufferPointer? {
        let byteCount = RecordHeader.byteCount + header.bodyByteCount
        guard self.kept.count > 0 else {
            guard self.borrowed.count >= byteCount else { return nil }
            defer { self.borrowed = UnsafeRawBufferPointer(rebasing: self.borrowed[byteCount...]) }
            return UnsafeRawBufferPointer(rebasing: self.borrowed[..<byteCount])
        }
        self.keep(upTo: byteCount)
        guard self.kept.count >= byteCount else { return nil }
        self.handedByteCount = byteCount
        return UnsafeRawBufferPointer(rebasing: self.kept.bytes[..<byteCount])
    }

    /// Adds to what is kept until it is so much.
    private func keep(upTo byteCount: Int) {
        let count = min(byteCount - self.kept.count, self.borrowed.count)
        guard count > 0 else { return }
        self.kept.append(UnsafeRawBufferPointer(rebasing: self.borrowed[..<count]))
        self.borrowed = UnsafeRawBufferPointer(rebasing: self.borrowed[count...])
    }

    private func dropHanded() {
        guard self.handedByteCount > 0 else { return }
        self.kept.consume(self.handedByteCount)
        self.handedByteCount = 0
    }
}

// MARK: The BIO

extension TLSTransport {
    /// Made once and never freed: BIOs refer to it as long as the process lives.
    private static let method: BIOMethod? = BIOMethod()

    /// - Returns: A BIO the caller owns, or nil when memory ran out. It refers to the transport without owning it.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method, let bio = BIO_new(method.pointer) else {
            return nil
        }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    fileprivate static func from(_ bio: OpaquePointer?) -> TLSTransport? {
        // Borrowed: the session that owns the BIO owns the transport too.
        BIO_get_data(bio).map { Unmanaged<TLSTransport>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// A `BIO_METHOD *`.
private struct BIOMethod: @unchecked Sendable {
    // Safe to share: it is complete before anybody sees it and never written again.
    let pointer: OpaquePointer

    init?() {
        guard let pointer = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ipc-gateway") else {
            return nil
        }
        BIO_meth_set_read(pointer, transportRead)
        BIO_meth_set_write(pointer, transportWrite)
        BIO_meth_set_ctrl(pointer, transportControl)
        self.pointer = pointer
    }
}

private func transportRead(bio: OpaquePointer?, buffer: UnsafeMutablePointer<CChar>?, count: Int32) -> Int32 {
    copenssl_BIO_clear_retry_flags(bio)
    let destination = UnsafeMutableRawBufferPointer(start: buffer, count: max(0, Int(count)))
    if let copied = TLSTransport.from(bio)?.read(into: destination), copied > 0 {
        return Int32(copied)
    }
    copenssl_BIO_set_retry_read(bio)
    return -1
}

private func transportWrite(bio: OpaquePointer?, bytes: UnsafePointer<CChar>?, count: Int32) -> Int32 {
    copenssl_BIO_clear_retry_flags(bio)
    if let transport = TLSTransport.from(bio) {
        let written = UnsafeRawBufferPointer(start: bytes, count: max(0, Int(count)))
        transport.output.append(written)
        transport.sentRecords?.count(written)
    }
    return count
}

private func transportControl(bio: OpaquePointer?, command: Int32, number: Int, argument: UnsafeMutableRawPointer?)
    -> Int
{
    // Writing never blocks, so a flush is always done; nothing else is offered.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
