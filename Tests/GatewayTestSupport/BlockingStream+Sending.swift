// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TLSEngine

extension BlockingStream {
    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) throws {
        if let tls {
            try bytes.withUnsafeBytes { try tls.write($0) }
            try flush()
        } else {
            try bytes.withUnsafeBytes { try sendAll($0) }
        }
    }

    /// Sends bytes as they are, although TLS was begun.
    public func sendBeneathTLS(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try sendAll($0) }
    }

    func flush() throws(TestSupportError) {
        guard !isQueueing else { return try sendQueued() }
        defer { output.consume(output.count) }
        let result: Result<Void, TestSupportError> = output.withUnsafeBytes { bytes in
            do throws(TestSupportError) { return .success(try sendAll(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    private func sendAll(_ bytes: UnsafeRawBufferPointer) throws(TestSupportError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(bitPattern: UInt32(MSG_NOSIGNAL)))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TestSupportError.system("send") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Takes bytes and sends as many as there is room for; the rest goes out with ``sendQueued()`` and while receiving.
    ///
    /// For who must not wait: two peers that both only send wait for each other for ever.
    public func queue(_ bytes: [UInt8]) throws {
        isQueueing = true
        if let tls {
            try bytes.withUnsafeBytes { try tls.write($0) }
        } else {
            bytes.withUnsafeBytes { output.append($0) }
        }
        try sendQueued()
    }

    /// What was queued and is not sent, in bytes of ciphertext.
    public var queuedByteCount: Int { isQueueing ? output.count : 0 }

    /// Sends what was queued, as far as there is room.
    public func sendQueued() throws(TestSupportError) {
        while !output.isEmpty {
            let flags = Int32(bitPattern: UInt32(MSG_NOSIGNAL)) | Int32(bitPattern: UInt32(MSG_DONTWAIT))
            let count = output.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count >= 0 else { throw TestSupportError.system("send") }
            output.consume(count)
        }
    }
}
