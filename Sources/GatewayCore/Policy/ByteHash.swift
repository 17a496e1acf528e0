// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A hash of bytes, taken eight at a time.
///
/// It is no secret: only names of the configuration are stored under it, so strangers cannot fill a table.
struct ByteHash {
    private let state: UInt64

    init(_ bytes: Span<UInt8>) {
        var prefix = Prefix()
        self = prefix.extend(to: bytes)
    }

    private init(state: UInt64) {
        self.state = state
    }

    /// What goes on to longer prefixes of the same bytes, so that the hashes of all of them cost one pass.
    struct Prefix {
        private var eights: UInt64 = 0xcbf2_9ce4_8422_2325
        private var eightsCount = 0

        /// The hash of a prefix that is no shorter than the last one.
        mutating func extend(to prefix: Span<UInt8>) -> ByteHash {
            var rest = prefix.extracting(eightsCount...)
            while rest.count >= 8 {
                eights = Self.mix(eights, rest.firstWord)
                rest = rest.extracting(8...)
            }
            eightsCount = prefix.count &- rest.count
            // The length tells zeros at the end from nothing there.
            return ByteHash(state: Self.mix(eights ^ UInt64(truncatingIfNeeded: prefix.count), rest.shortWord))
        }

        private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
            let mixed = (state ^ word) &* 0x9e37_79b9_7f4a_7c15
            return mixed ^ mixed >> 32
        }
    }

    /// The hash of the same bytes as a name in a scope.
    func value(in scope: Int32) -> UInt64 {
        var value = state ^ UInt64(UInt32(bitPattern: scope)) &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 32) &* 0xd6e8_feb8_6659_fd93
        return value ^ value >> 32
    }
}
