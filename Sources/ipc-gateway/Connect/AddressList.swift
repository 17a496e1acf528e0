// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore

/// Addresses as people write them, with commas in between: `one.example.org:7443,two.example.org:7443`.
struct AddressList: ExpressibleByArgument, Sendable {
    /// The addresses, at least one.
    let addresses: [HostAndPort]

    init?(argument text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let addresses = parts.compactMap { HostAndPort(String($0.drop { $0 == " " })) }
        guard addresses.count == parts.count else { return nil }
        self.addresses = addresses
    }
}
