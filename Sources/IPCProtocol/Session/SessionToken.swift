// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The name of a session that outlives its connections: who keeps it, and 128 random bits.
///
/// It says which session, not whose. Two tokens are compared in the same time wherever
/// they differ, and hashed with a key of the process's own, so that answers do not tell how much of a guess was right.
public struct SessionToken: Sendable, Hashable, CustomStringConvertible {
    /// Who keeps the session.
    public let keeper: String
    private let high: UInt64
    private let low: UInt64

    /// Makes a token for a new session.
    public init(keeper: String, using generator: inout some RandomNumberGenerator) {
        self.keeper = keeper
        high = generator.next()
        low = generator.next()
    }

    /// Reads what ``description`` has written, and nothing else; nil for other text.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count > 33, bytes[bytes.count - 33] == UInt8(ascii: ".") else { return nil }
        var halves: [UInt64] = [0, 0]
        for (place, byte) in bytes.suffix(32).enumerated() {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            halves[place / 16] = halves[place / 16] << 4 | UInt64(digit)
        }
        keeper = String(decoding: bytes.dropLast(33), as: UTF8.self)
        high = halves[0]
        low = halves[1]
    }

    /// `KEEPER.HEX`, with 32 digits.
    public var description: String {
        func hex(_ half: UInt64) -> String {
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return "\(keeper).\(hex(high))\(hex(low))"
    }

    /// The end of the token, by which logs call a session: it tells sessions apart and does not let anybody have one.
    public var label: String { String(description.suffix(6)) }

    /// Whether two tokens are the same. The name of who keeps the session is no secret.
    public static func == (one: Self, other: Self) -> Bool {
        let difference = (one.high ^ other.high) | (one.low ^ other.low)
        return difference == 0 && one.keeper.utf8.elementsEqual(other.keeper.utf8)
    }

    /// Hashes the random bits.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
    }
}
