// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Owns one reference of an `SSL_SESSION *` that nobody changes any more, with the record of its verification.
final class StoredSession: @unchecked Sendable {
    // Unchecked: the SSL_SESSION is a copy made for this object, and only read and copied from then on.
    private let pointer: OpaquePointer
    let record: VerificationRecord
    let id: SessionID
    /// TLS 1.3: a ticket is good for one connection, so that nobody can link two of them or replay one.
    let isSingleUse: Bool

    /// Copies a session that has a record. Connections mark their own sessions when they fail; a copy is not touched.
    init?(copying session: OpaquePointer, record: VerificationRecord) {
        guard let id = SessionID(session), let copy = SSL_SESSION_dup(session) else {
            OpenSSLErrors.clear()
            return nil
        }
        self.pointer = copy
        self.record = record
        self.id = id
        self.isSingleUse = SSL_SESSION_get_protocol_version(session) == TLSVersion.tls13.number
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }

    /// - Returns: A session the caller owns.
    func makeSession() -> OpaquePointer? {
        SSL_SESSION_dup(self.pointer)
    }

    /// Roughly the memory it holds.
    var byteCount: Int { 4096 + self.record.certificateMemory }
}

/// What a client names a session by: 32 random bytes, which are the whole ticket in TLS 1.3.
struct SessionID: Hashable, Sendable {
    static let byteCount = 32
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == Self.byteCount else {
            return nil
        }
        withUnsafeMutableBytes(of: &self.words) { $0.copyBytes(from: bytes) }
    }

    /// - Parameter session: An `SSL_SESSION *`.
    init?(_ session: OpaquePointer) {
        var count: UInt32 = 0
        let start = SSL_SESSION_get_id(session, &count)
        self.init(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    static func == (left: SessionID, right: SessionID) -> Bool {
        left.words == right.words
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.words.0)
        hasher.combine(self.words.1)
        hasher.combine(self.words.2)
        hasher.combine(self.words.3)
    }
}
