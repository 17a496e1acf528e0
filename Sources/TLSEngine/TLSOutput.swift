// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Ciphertext on its way out.
///
/// The shell may give one to all sessions of a thread, if it empties it (sends, or moves what is left to the
/// connection's own backlog) before it uses another session. Up to 512 KiB of memory are kept while it is empty.
/// Not `Sendable`: it stays on the thread of its sessions.
public final class TLSOutput {
    private static let keptCapacity = 512 * 1024
    #if !DEBUG  // Every record needs it; Package.swift says why there are no checks.
    @exclusivity(unchecked)
    #endif
    private var buffer = AlignedBuffer(keptCapacity: TLSOutput.keptCapacity)

    /// An empty output that holds no memory yet.
    public init() {}

    // A number of its own: it is asked for many times for each message, and costs less than to ask the buffer.
    /// Bytes that wait to be sent.
    public private(set) var count = 0

    /// Nothing waits to be sent.
    public var isEmpty: Bool { self.count == 0 }

    /// Memory held, used or not, in bytes.
    public var allocatedByteCount: Int { self.buffer.allocatedByteCount }

    /// Everything that waits, in one piece.
    ///
    /// - Parameter body: Must neither append nor consume while it uses the bytes.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(self.buffer.bytes)
    }

    /// Forgets the first bytes, since they are sent or kept elsewhere.
    ///
    /// - Precondition: `count` is not more than what waits.
    public func consume(_ count: Int) {
        self.buffer.consume(count)
        self.count -= count
    }

    /// Adds ciphertext behind what waits; sessions do.
    public func append(_ ciphertext: UnsafeRawBufferPointer) {
        self.buffer.append(ciphertext)
        self.count += ciphertext.count
    }

    /// Adds bytes that are made where they will be.
    ///
    /// - Parameter fill: Gets exactly the room; nothing is added if it returns false.
    /// - Returns: What it returned.
    func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        guard self.buffer.append(byteCount: byteCount, fill) else { return false }
        self.count += byteCount
        return true
    }
}

@available(*, unavailable)
extension TLSOutput: Sendable {}
