// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Eight bytes at a time. They are put together with shifts, which the compiler makes one load of; for that it has to see
/// that they are there, so these are for spans whose count was just compared, and are inlined.
extension Span<UInt8> {
    /// The first eight bytes, the first of them lowest.
    ///
    /// - Precondition: There are as many.
    @inlinable @inline(__always)
    package var firstWord: UInt64 {
        precondition(count >= 8, "a word has eight bytes")
        let low = UInt64(self[0]) | UInt64(self[1]) &<< 8 | UInt64(self[2]) &<< 16 | UInt64(self[3]) &<< 24
        let high = UInt64(self[4]) | UInt64(self[5]) &<< 8 | UInt64(self[6]) &<< 16 | UInt64(self[7]) &<< 24
        return low | high &<< 32
    }

    /// Fewer than eight bytes as a number, the first of them lowest.
    ///
    /// - Precondition: There are no more.
    @inlinable @inline(__always)
    package var shortWord: UInt64 {
        precondition(count < 8, "a word has eight bytes")
        guard count >= 4 else { return tail }
        let low = UInt64(self[0]) | UInt64(self[1]) &<< 8 | UInt64(self[2]) &<< 16 | UInt64(self[3]) &<< 24
        return low | extracting(4...).tail &<< 32
    }

    /// At most three bytes as a number, the first of them lowest.
    @inlinable @inline(__always)
    package var tail: UInt64 {
        switch count {
        case 0: 0
        case 1: UInt64(self[0])
        case 2: UInt64(self[0]) | UInt64(self[1]) &<< 8
        default: UInt64(self[0]) | UInt64(self[1]) &<< 8 | UInt64(self[2]) &<< 16
        }
    }
}
