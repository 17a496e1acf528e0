// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// One TLS connection without a socket: ciphertext is lent to it, and what it sends lands in its `TLSOutput`.
///
/// Call order: `handshake()` within `withInput` until it says `.complete`, then `read` within `withInput` and `write` at
/// any time. Send what is in the output after every call, also after one that threw: the alert that tells the peer why
/// is in there. After an error has been thrown every further call throws the same one.
///
/// Not `Sendable`: one connection stays on one thread, together with its output.
public final class TLSSession {
    /// How far the handshake has come.
    public enum HandshakeProgress: Sendable, Hashable {
        /// The next step needs bytes from the peer.
        case needsInput
        /// Done; a client has not heard yet whether its certificate is accepted (TLS 1.3).
        case complete
    }

    /// What a read gave.
    public enum ReadOutcome: Sendable, Hashable {
        /// This many bytes of plaintext.
        case bytes(Int)
        /// Nothing until more ciphertext comes.
        case needsInput
        /// The peer has sent close_notify: nothing more will come.
        case closed
    }

    /// OpenSSL's connection; nil as soon as the records are read and written here.
    private(set) var ssl: OpaquePointer?
    /// Server: what goes on behind the handshake, where OpenSSL does not.
    var records: TLSRecords?
    /// What is known of the handshake then.
    var finished: FinishedHandshake?
    /// The secrets of the data, in the middle of the handshake.
    var dataSecrets = DataSecrets()
    let transport: TLSTransport
    let context: TLSContext
    let serverName: String?
    var failure: TLSError?
    var verificationFailure: VerificationFailure?
    /// When the peer's chain was verified; nil in a resumed session, and when that was remembered.
    var verifiedAt: Int64?
    /// Server: what the chain that the client shows is remembered by, during the handshake.
    var chainKey: VerifiedChains.Key?
    /// Server: what is remembered of it, during the handshake.
    var rememberedRecord: VerificationRecord?
    /// Server: what the client resumes, during the handshake.
    var claimedSession: StoredSession?
    /// Server: what the client can resume as soon as the handshake is complete.
    var finishedSession: StoredSession?
    /// Server: what the client can resume now, unless this connection fails.
    var keptSession: SessionID?
    /// Client: an `SSL_SESSION *` that the server has offered last.
    var newestSession: OpaquePointer?
    /// Server: what the cache was when the connection began.
    let sessionEpoch: UInt64
    #if !DEBUG  // Every record needs it; Package.swift says why there are no checks.
    @exclusivity(unchecked)
    #endif
    private var chatter = TLSChatter()
    private var isComplete = false
    private var hasSentCloseNotify = false

    /// A connection that has not begun.
    ///
    /// - Parameters:
    ///   - output: Where ciphertext for the peer is put; see `TLSOutput` about sharing it.
    ///   - serverName: For a client the DNS name or IP address that the server's certificate must be for; required. A
    ///     DNS name is also sent (SNI). Ignored for a server.
    ///   - resumed: For a client a session to resume, if it may and the server agrees; see `isResumed`.
    /// - Throws: `.misuse` for a client without a usable name, `.other` when memory runs out.
    public init(
        context: TLSContext,
        output: TLSOutput,
        serverName: String? = nil,
        resuming resumed: TLSResumptionState? = nil
    ) throws(TLSError) {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        let transport = TLSTransport(output: output)
        guard let ssl = SSL_new(context.pointer) else {
            throw TLSError(code: .other, message: "OpenSSL cannot make a session: \(OpenSSLErrors.take().text)")
        }
        guard let bio = transport.makeBIO() else {
            SSL_free(ssl)
            throw TLSError(code: .other, message: "OpenSSL cannot make a BIO: \(OpenSSLErrors.take().text)")
        }
        // For both directions at once, which takes the one reference there is.
        SSL_set_bio(ssl, bio, bio)
        self.ssl = ssl
        self.transport = transport
        self.context = context
        self.serverName = context.role == .client ? serverName : nil
        self.sessionEpoch = context.sessions?.epoch ?? 0
        // From here on `deinit` runs when an error is thrown.
        SSL_set_ex_data(ssl, Self.exDataIndex, Unmanaged.passUnretained(self).toOpaque())
        switch context.role {
        case .server:
            SSL_set_accept_state(ssl)
        case .client:
            SSL_set_connect_state(ssl)
            let name = try self.expect(serverName)
            resumed?.offer(on: ssl, context: context, serverName: name)
        }
    }

    deinit {
        SSL_SESSION_free(self.newestSession)
        self.freeConnection()
    }

    /// Frees OpenSSL's part of the connection.
    func freeConnection() {
        guard let ssl = self.ssl else { return }
        if self.failure == nil {
            // Otherwise OpenSSL takes a connection that was lost for a broken one, and forgets its session.
            SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        SSL_free(ssl)
        self.ssl = nil
    }

    // MARK: Input

    /// Lends ciphertext to the session while `body` runs, which calls `handshake` and `read`.
    ///
    /// What is not consumed when `body` ends is copied into the session and consumed first next time; behind the peer's
    /// close_notify or an error it is thrown away. Not re-entrant.
    public func withInput<R>(_ ciphertext: UnsafeRawBufferPointer, _ body: () throws -> R) rethrows -> R {
        self.chatter.beginInput()
        self.transport.lend(ciphertext)
        // Nobody will read what follows the end or an error.
        defer { self.transport.takeBack(keeping: self.failure == nil && !self.hasReceivedCloseNotify) }
        return try body()
    }

    /// Bytes of ciphertext kept because nobody has read them yet. While there are any, `read` works without new input.
    public var keptInputByteCount: Int { self.transport.keptByteCount }

    /// The least ciphertext that must still come for so much plaintext, behind what has been read; 1 where that is not known.
    public func inputByteCount(forPlaintext count: Int) -> Int {
        guard let records, records.pendingByteCount == 0 else { return 1 }
        return max(1, records.leastByteCount(forPlaintext: count) - self.transport.keptByteCount)
    }

    /// Decrypted bytes that are held because the last read had no room for them.
    public var pendingPlaintextByteCount: Int { self.records?.pendingByteCount ?? Int(SSL_pending(self.ssl)) }

    /// Puts ciphertext elsewhere from now on, because the connection goes on at another thread.
    ///
    /// What is in the old output stays there. After it nothing of the session may be in use by the old thread.
    public func move(to output: TLSOutput) {
        self.transport.output = output
    }

    // MARK: Handshake

    /// Takes the handshake as far as the input allows.
    public func handshake() throws(TLSError) -> HandshakeProgress {
        try self.throwEarlierFailure()
        if self.isComplete {
            return .complete
        }
        OpenSSLErrors.clear()
        let result = SSL_do_handshake(self.ssl)
        if result == 1 {
            try self.checkApplicationProtocol()
            self.isComplete = true
            self.transport.forgetFirstBytes()
            self.keepSession()
            self.takeOverRecords()
            return .complete
        }
        if SSL_get_error(self.ssl, result) == SSL_ERROR_WANT_READ {
            return .needsInput
        }
        throw self.fail()
    }

    /// The handshake is complete.
    public var isHandshakeComplete: Bool { self.isComplete }

    // MARK: Data

    /// Decrypts as much as there is input for, and room for (no room gives no bytes).
    ///
    /// - Throws: What the peer did wrong. Bytes that came before it have been returned by earlier calls.
    public func read(into plaintext: UnsafeMutableRawBufferPointer) throws(TLSError) -> ReadOutcome {
        var filled = 0
        while filled < plaintext.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: plaintext[filled...])
            let outcome: ReadOutcome
            do throws(TLSError) {
                outcome = try self.readOnce(into: room)
            } catch {
                // The error is kept and thrown by the next call, so nothing that came before it is lost.
                guard filled == 0 else { break }
                throw error
            }
            guard case .bytes(let count) = outcome else {
                return filled == 0 ? outcome : .bytes(filled)
            }
            filled += count
        }
        return .bytes(filled)
    }

    private func readOnce(into plaintext: UnsafeMutableRawBufferPointer) throws(TLSError) -> ReadOutcome {
        try self.throwEarlierFailure()
        guard self.isComplete else {
            throw TLSError(code: .misuse, message: "read before the handshake is complete")
        }
        if let records {
            do throws(TLSError) {
                return try records.read(from: self.transport, into: plaintext, &self.chatter)
            } catch {
                throw self.fail(error)
            }
        }
        if self.hasReceivedCloseNotify {
            return .closed
        }
        // A call that can only say "nothing there" costs as much as one that decrypts a small message.
        if self.transport.unreadByteCount == 0, SSL_has_pending(self.ssl) == 0 {
            return .needsInput
        }
        OpenSSLErrors.clear()
        var count = 0
        let result = SSL_read_ex(self.ssl, plaintext.baseAddress, plaintext.count, &count)
        guard !self.chatter.isTooMuch else {
            OpenSSLErrors.clear()
            self.failure = TLSChatter.error
            throw TLSChatter.error
        }
        if result == 1 {
            self.chatter.noteData()
            return .bytes(count)
        }
        switch SSL_get_error(self.ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw self.fail()
        }
    }

    /// For a callback of OpenSSL, in the middle of a read: it begins with a message that is not data, or goes on with it.
    func noteHandshakeStep() {
        // Each message has a record of its own, so between two of them something is read.
        guard self.transport.hasDelivered else { return }
        self.transport.hasDelivered = false
        self.chatter.noteMessage()
        // OpenSSL would go on until there is data; without input it has to return.
        if self.chatter.isTooMuch { self.transport.isExhausted = true }
    }

    /// Encrypts all of `plaintext`, in records of up to 16 KiB, into the output.
    ///
    /// Small writes become small records: collect what belongs together first.
    public func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
        try self.throwEarlierFailure()
        guard self.isComplete else {
            throw TLSError(code: .misuse, message: "write before the handshake is complete")
        }
        guard !self.hasSentCloseNotify else {
            throw TLSError(code: .misuse, message: "write after close_notify was sent")
        }
        guard !plaintext.isEmpty else {
            return
        }
        OpenSSLErrors.clear()
        if let records {
            do throws(TLSError) {
                return try records.write(plaintext, to: self.transport.output)
            } catch {
                throw self.fail(error)
            }
        }
        var count = 0
        guard SSL_write_ex(self.ssl, plaintext.baseAddress, plaintext.count, &count) == 1, count == plaintext.count
        else {
            throw self.fail()
        }
    }

    // MARK: Closing

    /// Says that nothing more will be written. Reading goes on. Does nothing the second time, before the handshake is
    /// complete, or after an error.
    public func sendCloseNotify() {
        guard self.isComplete, !self.hasSentCloseNotify, self.failure == nil else {
            return
        }
        self.hasSentCloseNotify = true
        if let records { return records.sendCloseNotify(to: self.transport.output) }
        OpenSSLErrors.clear()
        _ = SSL_shutdown(self.ssl)
        OpenSSLErrors.clear()
    }

    /// The peer has said that it will write nothing more.
    public var hasReceivedCloseNotify: Bool {
        self.records?.hasReceivedCloseNotify ?? (SSL_get_shutdown(self.ssl) & SSL_RECEIVED_SHUTDOWN != 0)
    }
}

@available(*, unavailable)
extension TLSSession: Sendable {}
