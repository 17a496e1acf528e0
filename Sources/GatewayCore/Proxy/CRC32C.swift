// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The checksum of RFC 4960 appendix B (Castagnoli), bit by bit: what it is made of here is short.
struct CRC32C {
    private var register = UInt32.max

    /// The checksum of what was taken in.
    var value: UInt32 { ~register }

    mutating func update(_ byte: UInt8) {
        register ^= UInt32(byte)
        for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0x82F6_3B78 }
    }
}
