// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Counts what a peer says to TLS itself once the handshake is over: KeyUpdate, and attempts to negotiate anew.
///
/// Each costs as much as thousands of bytes of data, KeyUpdate also an answer, and OpenSSL takes as many as come: those of
/// one read would hold up everybody else on the thread for longer than a hundred handshakes. BoringSSL and rustls have
/// the same bound.
struct TLSChatter {
    /// How many messages may come without any data between two reads of the socket.
    static let bound = 32

    private var count = 0
    private var hasHadData = false

    /// Whether it was too much.
    var isTooMuch: Bool { self.count > Self.bound }

    /// The peer has said something to TLS.
    mutating func noteMessage() {
        self.count += 1
    }

    /// The peer has sent data.
    mutating func noteData() {
        self.hasHadData = true
    }

    /// More has come from the socket. Data excuses what came before it, but nothing of the same read: otherwise a byte
    /// between two messages would be enough.
    mutating func beginInput() {
        guard self.hasHadData, !self.isTooMuch else { return }
        self.count = 0
        self.hasHadData = false
    }

    static let message =
        "the peer sent more than \(Self.bound) messages of TLS itself, such as KeyUpdate, without data between them"
    static let error = TLSError(code: .protocolViolation, message: Self.message)

    /// Lets the sessions of a context count. OpenSSL calls only for messages of handshakes and alerts, not for data.
    static func install(in context: OpaquePointer) {
        SSL_CTX_set_info_callback(context) { ssl, event, _ in
            guard event & SSL_CB_LOOP != 0, let session = TLSSession.of(ssl), session.isHandshakeComplete else {
                return
            }
            session.noteHandshakeStep()
        }
    }
}
