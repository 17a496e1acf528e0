// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Addresses of certificates in their one canonical spelling, so that they can be compared as text.
enum IPAddressText {
    /// - Returns: Nil when the bytes are neither an IPv4 (4) nor an IPv6 (16) address.
    static func format(_ bytes: [UInt8]) -> String? {
        switch bytes.count {
        case 4: bytes.map(String.init).joined(separator: ".")
        case 16: Self.formatIPv6(bytes)
        default: nil
        }
    }

    /// Lower case, no leading zeros, the first of the longest runs of at least two zero groups as `::` (RFC 5952).
    private static func formatIPv6(_ bytes: [UInt8]) -> String {
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            return "::ffff:" + bytes.suffix(4).map(String.init).joined(separator: ".")
        }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var index = 0
        while index < groups.count {
            let runEnd = groups[index...].firstIndex { $0 != 0 } ?? groups.count
            if runEnd - index > longest.count {
                longest = index..<runEnd
            }
            index = max(runEnd, index + 1)
        }
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard longest.count >= 2 else {
            return text(groups[...])
        }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}
