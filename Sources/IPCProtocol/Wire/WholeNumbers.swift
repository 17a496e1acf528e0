// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// `init(exactly:)` from a Double calls `trunc` of libm, which a program that imports nothing does not link.

extension Int32 {
    /// Creates the integer a double is, −0 included; nil when it is none of 32 bits.
    init?(whole double: Double) {
        guard double >= -2_147_483_648, double <= 2_147_483_647 else {
            return nil
        }
        self.init(double)
        if Double(self) != double {
            return nil
        }
    }
}

extension UInt64 {
    /// Creates the integer a double is; nil when it is none from 0 to 2⁵³.
    init?(whole double: Double) {
        guard double >= 0, double <= 9_007_199_254_740_992 else {
            return nil
        }
        self.init(double)
        if Double(self) != double {
            return nil
        }
    }
}
