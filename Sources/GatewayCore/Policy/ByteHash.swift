// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A hash of bytes that grows by a byte at a time (FNV-1a, 64 bits), so that the hashes of all prefixes cost one pass.
///
/// It is no secret: only names of the configuration are stored under it, so strangers cannot fill a table.
struct ByteHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    init() {}

    init(_ bytes: Span<UInt8>) {
        add(bytes, in: 0..<bytes.count)
    }

    mutating func add(_ bytes: Span<UInt8>, in range: Range<Int>) {
        var state = state
        for index in range { state = (state ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
        self.state = state
    }

    /// The hash of the same bytes as a name in a scope.
    func value(in scope: Int32) -> UInt64 {
        var value = state ^ UInt64(UInt32(bitPattern: scope)) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 32) &* 0xd6e8_feb8_6659_fd93
        return value ^ value >> 32
    }
}
