// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// SHA-256 (FIPS 180-4), for the vectors that give a digest instead of bytes. Slow and simple.
enum SHA256Digest {
    private static let primes: [UInt32] = {
        var found: [UInt32] = []
        var candidate: UInt32 = 2
        while found.count < 64 {
            if found.allSatisfy({ candidate % $0 != 0 }) {
                found.append(candidate)
            }
            candidate += 1
        }
        return found
    }()

    /// The first 32 bits of the fraction of the `degree`-th root of `prime`, by bisection over integers.
    private static func rootFraction(of prime: UInt32, degree: Int) -> UInt32 {
        var low: UInt64 = 0
        var high: UInt64 = 1 << 37
        while high - low > 1 {
            let middle = (low + high) / 2
            // (middle / 2³²) to the power of the degree, compared with the prime in whole numbers of 256 bits.
            let square = middle.multipliedFullWidth(by: middle)
            let isBelow: Bool
            if degree == 2 {
                isBelow = square.high < UInt64(prime)
            } else {
                let upper = square.high.multipliedFullWidth(by: middle)
                let lower = square.low.multipliedFullWidth(by: middle)
                let (word, carry) = upper.low.addingReportingOverflow(lower.high)
                let top = upper.high + (carry ? 1 : 0)
                isBelow = top << 32 | word >> 32 < UInt64(prime)
            }
            if isBelow {
                low = middle
            } else {
                high = middle
            }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    private static let roundConstants = primes.map { rootFraction(of: $0, degree: 3) }
    private static let start = primes.prefix(8).map { rootFraction(of: $0, degree: 2) }

    /// The digest in lower-case hexadecimal.
    static func hex(of message: [UInt8]) -> String {
        var padded = message
        padded.append(0x80)
        while padded.count % 64 != 56 {
            padded.append(0)
        }
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: UInt64(message.count * 8) >> UInt64(shift)))
        }
        var state = start
        for block in stride(from: 0, to: padded.count, by: 64) {
            compress(padded[block..<block + 64], into: &state)
        }
        return state.flatMap { word in stride(from: 24, through: 0, by: -8).map { UInt8(word >> UInt32($0) & 0xff) } }
            .hex
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var words = [UInt32](repeating: 0, count: 64)
        for (index, byte) in block.enumerated() {
            words[index / 4] = words[index / 4] << 8 | UInt32(byte)
        }
        for index in 16..<64 {
            let (early, late) = (words[index - 15], words[index - 2])
            let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
            let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
            words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
        }
        var h = state
        for index in 0..<64 {
            let mixed = rotate(h[4], 6) ^ rotate(h[4], 11) ^ rotate(h[4], 25)
            let choice = h[4] & h[5] ^ ~h[4] & h[6]
            let one = h[7] &+ mixed &+ choice &+ roundConstants[index] &+ words[index]
            let two =
                (rotate(h[0], 2) ^ rotate(h[0], 13) ^ rotate(h[0], 22)) &+ (h[0] & h[1] ^ h[0] & h[2] ^ h[1] & h[2])
            h = [one &+ two, h[0], h[1], h[2], h[3] &+ one, h[4], h[5], h[6]]
        }
        for index in 0..<8 {
            state[index] &+= h[index]
        }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word >> count | word << (32 - count)
    }
}
