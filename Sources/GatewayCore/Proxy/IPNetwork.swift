// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Addresses that begin alike: `10.0.0.0/8`, or one address.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is no network.
    enum Problem: Error, Equatable {
        /// It is not written as one.
        case syntax
        /// The address has bits beyond the prefix; this is the network that it is in.
        case hostBits(IPNetwork)
    }

    /// The first address.
    let address: IPAddress
    /// How many bits are alike.
    let prefix: Int

    private init(_ address: IPAddress, _ prefix: Int) {
        self.address = IPAddress(bits: address.bits & Self.mask(prefix, address), isIPv6: address.isIPv6)
        self.prefix = prefix
    }

    /// Reads `ADDRESS` or `ADDRESS/BITS`.
    init(_ text: String) throws(Problem) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { throw .syntax }
        var prefix = address.bitCount
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
                digits.first != 0x30 || digits.count == 1, let number = Int(parts[1]), number <= prefix
            else { throw .syntax }
            prefix = number
        }
        self.init(address, prefix)
        guard self.address == address else { throw .hostBits(self) }
    }

    /// Whether it has all addresses of its kind.
    var isEverything: Bool { prefix == 0 }

    /// Whether an address belongs to it. One kind of address never belongs to a network of the other.
    public func contains(_ other: IPAddress) -> Bool {
        other.isIPv6 == address.isIPv6 && other.bits & Self.mask(prefix, other) == address.bits
    }

    private static func mask(_ prefix: Int, _ address: IPAddress) -> UInt128 {
        let all = address.isIPv6 ? UInt128.max : UInt128(UInt32.max)
        let rest = address.bitCount - prefix
        return (all >> rest) << rest
    }

    /// As it is written.
    public var description: String { prefix == address.bitCount ? "\(address)" : "\(address)/\(prefix)" }
}
