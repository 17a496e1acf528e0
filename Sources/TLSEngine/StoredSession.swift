// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a client can resume, with the record of its verification.
final class StoredSession: Sendable {
    /// What it is made from when a client comes back.
    private enum Form {
        case tls12(SessionCopy)
        case tls13(ResumptionSecret)
    }

    private let form: Form
    let record: VerificationRecord
    let id: SessionID

    /// Keeps a session that has a record.
    init?(keeping session: OpaquePointer, record: VerificationRecord) {
        let isTLS13 = SSL_SESSION_get_protocol_version(session) == TLSVersion.tls13.number
        let form: Form? =
            isTLS13 ? ResumptionSecret(of: session).map(Form.tls13) : SessionCopy(session).map(Form.tls12)
        guard let id = SessionID(session), let form else {
            OpenSSLErrors.clear()
            return nil
        }
        self.form = form
        self.record = record
        self.id = id
    }

    /// TLS 1.3: a ticket is good for one connection, so that nobody can link two of them or replay one.
    var isSingleUse: Bool { if case .tls13 = self.form { true } else { false } }

    /// - Returns: An `SSL_SESSION *` that the caller owns, with the record.
    func makeSession() -> OpaquePointer? {
        switch self.form {
        case .tls12(let copy): return SSL_SESSION_dup(copy.pointer)
        case .tls13(let secret):
            guard let session = secret.makeSession(self.id) else { return nil }
            guard self.record.attach(to: session) else {
                SSL_SESSION_free(session)
                return nil
            }
            return session
        }
    }

    /// Roughly the memory it holds, with what OpenSSL makes of certificates: several times their encoding.
    var byteCount: Int {
        switch self.form {
        case .tls12: 6144 + 8 * self.record.chain.byteCount
        case .tls13: 2048 + self.record.chain.byteCount
        }
    }
}

/// Owns one reference of an `SSL_SESSION *` that nobody changes any more.
private final class SessionCopy: @unchecked Sendable {
    // Unchecked: it is a copy made for this object, and only copied from then on.
    let pointer: OpaquePointer

    /// Connections mark their own sessions when they fail; a copy is not touched.
    init?(_ session: OpaquePointer) {
        guard let copy = SSL_SESSION_dup(session) else { return nil }
        self.pointer = copy
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }
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

    func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        withUnsafeBytes(of: self.words) { body($0.assumingMemoryBound(to: UInt8.self)) }
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
