// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a client can resume, with the record of its verification.
final class StoredSession: Sendable {
    private let form: any StoredSessionForm
    let record: VerificationRecord
    let id: SessionID

    /// Keeps a session that has a record.
    init?(keeping session: OpaquePointer, record: VerificationRecord) {
        let isTLS13 = SSL_SESSION_get_protocol_version(session) == TLSVersion.tls13.number
        let form: (any StoredSessionForm)? = isTLS13 ? ResumptionSecret(of: session) : SessionCopy(session)
        guard let id = SessionID(session), let form else {
            OpenSSLErrors.clear()
            return nil
        }
        self.form = form
        self.record = record
        self.id = id
    }

    /// TLS 1.3: a ticket is good for one connection, so that nobody can link two of them or replay one.
    var isSingleUse: Bool { self.form.isSingleUse }

    /// - Returns: An `SSL_SESSION *` that the caller owns, with the record.
    func makeSession() -> OpaquePointer? {
        guard let session = self.form.makeSession(self.id) else {
            return nil
        }
        guard VerificationRecord.attached(to: session) != nil || self.record.attach(to: session) else {
            SSL_SESSION_free(session)
            return nil
        }
        return session
    }

    /// Roughly the memory it holds, with what OpenSSL makes of certificates: several times their encoding.
    var byteCount: Int { self.form.byteCount(withChainOf: self.record.chain.byteCount) }
}

/// What a stored session is made from when a client comes back.
///
/// A protocol, not an enum of the two: an enum marks one of two references in the pointer itself, and a search for leaks
/// does not find what that refers to.
protocol StoredSessionForm: AnyObject, Sendable {
    /// Good for one connection only.
    var isSingleUse: Bool { get }

    /// - Returns: An `SSL_SESSION *` that the caller owns.
    func makeSession(_ id: SessionID) -> OpaquePointer?

    /// Roughly the memory of a session, together with the chain in its record.
    func byteCount(withChainOf byteCount: Int) -> Int
}

extension ResumptionSecret: StoredSessionForm {
    var isSingleUse: Bool { true }

    func byteCount(withChainOf byteCount: Int) -> Int { 2048 + byteCount }
}

/// Owns one reference of an `SSL_SESSION *` that nobody changes any more.
private final class SessionCopy: StoredSessionForm, @unchecked Sendable {
    // Unchecked: it is a copy made for this object, and only copied from then on.
    private let pointer: OpaquePointer

    /// Connections mark their own sessions when they fail; a copy is not touched.
    init?(_ session: OpaquePointer) {
        guard let copy = SSL_SESSION_dup(session) else { return nil }
        self.pointer = copy
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }

    var isSingleUse: Bool { false }

    /// The record goes with it.
    func makeSession(_ id: SessionID) -> OpaquePointer? { SSL_SESSION_dup(self.pointer) }

    func byteCount(withChainOf byteCount: Int) -> Int { 6144 + 8 * byteCount }
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
