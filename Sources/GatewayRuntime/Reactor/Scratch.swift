// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine

/// Buffers that all connections of a thread use in turn, so that an idle connection holds none.
final class Scratch {
    /// How much is read at a time: several large messages, so that few of them come in two parts.
    static let readByteCount = 256 << 10
    /// Messages of more than this are large.
    static let largeByteCount = 64 << 10

    /// Bytes as they come from a socket.
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: Scratch.readByteCount, alignment: 64)
    /// What TLS makes of them. Plaintext is never longer than its ciphertext, and a record may be kept from before.
    let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: Scratch.readByteCount + (32 << 10), alignment: 64)
    /// Ciphertext on its way out. Whoever writes to it empties it before another connection has its turn.
    let output = TLSOutput()
    /// Bytes that came from clients of this thread, and that went to them.
    var receivedByteCount = 0
    var sentByteCount = 0

    deinit {
        input.deallocate()
        plaintext.deallocate()
    }
}
