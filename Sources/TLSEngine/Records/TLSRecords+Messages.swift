// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What comes in records beside data.
extension TLSRecords {
    /// What an encrypted record holds: RFC 8446, 5.1.
    enum ContentType: UInt8 {
        case alert = 21
        case handshake = 22
        case data = 23
    }

    /// RFC 8446, 4.6.3. It is the only message of a handshake that a client may send when that is over.
    enum KeyUpdate {
        static let byteCount = 5
        /// Type, length, and that the other end need not do the same.
        static let notRequested: [UInt8] = [UInt8(SSL3_MT_KEY_UPDATE), 0, 0, 1, 0]
    }

    /// Deals with a record that holds no data.
    func receive(_ type: UInt8, _ content: UnsafeRawBufferPointer, _ output: TLSOutput) throws(TLSError) {
        switch ContentType(rawValue: type) {
        case .data? where self.fragment.isEmpty:
            // It may be empty, to hide when there is data.
            break
        case .alert? where self.fragment.isEmpty:
            try self.receiveAlert(content, output)
        case .handshake? where !content.isEmpty:
            try self.receiveHandshake(content, output)
        default:
            let message = "the peer sent a record of type \(type), which has no place there"
            throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, message, output)
        }
    }

    private func receiveAlert(_ content: UnsafeRawBufferPointer, _ output: TLSOutput) throws(TLSError) {
        guard content.count == 2 else {
            let message = "the peer sent an alert of \(content.count) bytes"
            throw self.refuse(SSL_AD_DECODE_ERROR, message, output)
        }
        // The level in the first byte says nothing any more: RFC 8446, 6.
        switch Int32(content[1]) {
        case SSL_AD_CLOSE_NOTIFY: self.hasReceivedCloseNotify = true
        case SSL_AD_USER_CANCELLED: break
        case let alert: throw TLSError.peerAlert(alert, role: .server)
        }
    }

    private func receiveHandshake(_ content: UnsafeRawBufferPointer, _ output: TLSOutput) throws(TLSError) {
        self.fragment += content.prefix(KeyUpdate.byteCount + 1)
        guard self.fragment[0] == KeyUpdate.notRequested[0] else {
            let message = "the peer sent a handshake message of type \(self.fragment[0]) after the handshake"
            throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, message, output)
        }
        // What follows in the record would be under the old keys.
        guard self.fragment.count <= KeyUpdate.byteCount else {
            let message = "the peer sent something behind KeyUpdate in one record"
            throw self.refuse(SSL_AD_UNEXPECTED_MESSAGE, message, output)
        }
        guard self.fragment.count == KeyUpdate.byteCount else { return }
        let message = self.fragment
        self.fragment = []
        guard message[1..<4].elementsEqual([0, 0, 1]) else {
            throw self.refuse(SSL_AD_DECODE_ERROR, "the peer sent a KeyUpdate of another length", output)
        }
        guard message[4] <= 1 else {
            throw self.refuse(SSL_AD_ILLEGAL_PARAMETER, "the peer sent a KeyUpdate that wants \(message[4])", output)
        }
        guard self.reading.renew() else { throw Self.failure("decrypt") }
        if message[4] == 1, !self.hasSentCloseNotify { try self.renewOwnKeys(output) }
    }
}
