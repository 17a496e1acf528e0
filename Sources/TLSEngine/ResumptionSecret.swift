// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a session of TLS 1.3 is made of, in some hundred bytes: the secret that both ends keep, and what it is for.
///
/// An `SSL_SESSION` of its own would hold the client's certificates, decoded, which take more memory than all the rest of
/// a connection. They are in the record of the verification, which is what a client that resumes is judged by.
final class ResumptionSecret: @unchecked Sendable {
    // Unchecked: nothing of it changes.
    private let secret: UnsafeMutableRawBufferPointer
    /// An `SSL_CIPHER *`, one of OpenSSL's constants.
    private let cipher: OpaquePointer
    private let time: Int
    private let timeout: Int

    /// Takes it out of an `SSL_SESSION *` of TLS 1.3.
    init?(of session: OpaquePointer) {
        let count = SSL_SESSION_get_master_key(session, nil, 0)
        guard count > 0, let cipher = SSL_SESSION_get0_cipher(session) else {
            return nil
        }
        self.secret = .allocate(byteCount: count, alignment: 8)
        SSL_SESSION_get_master_key(session, self.secret.assumingMemoryBound(to: UInt8.self).baseAddress, count)
        self.cipher = cipher
        self.time = SSL_SESSION_get_time(session)
        self.timeout = SSL_SESSION_get_timeout(session)
    }

    deinit {
        OPENSSL_cleanse(self.secret.baseAddress, self.secret.count)
        self.secret.deallocate()
    }

    /// - Returns: An `SSL_SESSION *` that the caller owns.
    func makeSession(_ id: SessionID) -> OpaquePointer? {
        guard let session = SSL_SESSION_new() else {
            return nil
        }
        let secret = self.secret.assumingMemoryBound(to: UInt8.self)
        guard SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1,
            SSL_SESSION_set_cipher(session, self.cipher) == 1,
            SSL_SESSION_set1_master_key(session, secret.baseAddress, secret.count) == 1,
            id.withBytes({ SSL_SESSION_set1_id(session, $0.baseAddress, UInt32($0.count)) }) == 1,
            TLSContext.withSessionIDContext({
                SSL_SESSION_set1_id_context(session, $0.baseAddress, UInt32($0.count))
            }) == 1
        else {
            SSL_SESSION_free(session)
            return nil
        }
        SSL_SESSION_set_time(session, self.time)
        SSL_SESSION_set_timeout(session, self.timeout)
        return session
    }
}
