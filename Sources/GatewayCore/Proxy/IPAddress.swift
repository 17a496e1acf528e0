// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address, as a number.
public struct IPAddress: Sendable, Hashable {
    /// The bits of an address; those of IPv4 are the lowest 32.
    let bits: UInt128
    /// Whether it is an IPv6 address.
    public let isIPv6: Bool

    init(bits: UInt128, isIPv6: Bool) {
        self.bits = bits
        self.isIPv6 = isIPv6
    }

    /// An address of 4 or 16 bytes, the first byte first; nil for other counts.
    init?(bytes: Span<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var bits: UInt128 = 0
        for index in bytes.indices { bits = bits << 8 | UInt128(bytes[index]) }
        self.init(bits: bits, isIPv6: bytes.count == 16)
    }

    /// Reads an address as text, without a zone and without the mixed notation of IPv6 (RFC 4291 §2.2); nil when it is
    /// none.
    public init?(_ text: String) {
        guard IPAddressSyntax.isAddress(text) else { return nil }
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var bits: UInt128 = 0
        if isIPv6 {
            let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { half in
                half.split(separator: ":").compactMap { UInt16($0, radix: 16) }
            }
            let last = halves.count == 2 ? halves[1] : []
            let zeros = [UInt16](repeating: 0, count: max(0, 8 - halves[0].count - last.count))
            for group in halves[0] + zeros + last { bits = bits << 16 | UInt128(group) }
        } else {
            for part in text.split(separator: ".").compactMap({ UInt8($0) }) { bits = bits << 8 | UInt128(part) }
        }
        self.init(bits: bits, isIPv6: isIPv6)
    }

    /// How many bits it has.
    var bitCount: Int { isIPv6 ? 128 : 32 }
}

extension IPAddress: CustomStringConvertible {
    /// The address as RFC 5952 writes it.
    public var description: String {
        guard isIPv6 else {
            return [24, 16, 8, 0].map { "\(UInt8(truncatingIfNeeded: bits >> UInt128($0)))" }.joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        // The longest run of zeros, the first of equal ones, if it has more than one group.
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, longest.count) { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(groups[...]) }
        return "\(text(groups[..<longest.lowerBound]))::\(text(groups[longest.upperBound...]))"
    }
}
