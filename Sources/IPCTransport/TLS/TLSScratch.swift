// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix
internal import TLSEngine

/// The memory that all TLS connections of an event loop share: each uses it up before another has its turn.
final class TLSScratch {
    // Safe: every thread sees only what it has put there itself.
    private nonisolated(unsafe) static let ofThread = ThreadSpecificVariable<TLSScratch>()
    private static let plaintextBytes = 64 * 1_024

    /// Ciphertext on its way out.
    let output = TLSOutput()
    /// Plaintext on its way in.
    var plaintext = ByteBufferAllocator().buffer(capacity: TLSScratch.plaintextBytes)

    /// The scratch of this thread, which has to be an event loop's.
    static var current: TLSScratch {
        if let scratch = ofThread.currentValue { return scratch }
        let scratch = TLSScratch()
        ofThread.currentValue = scratch
        return scratch
    }
}

@available(*, unavailable)
extension TLSScratch: Sendable {}
