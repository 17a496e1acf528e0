// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The hashes of the names that a request is about: rules, routes and counters look for the same ones.
struct NameHashes {
    let channel: ByteHash
    let name: ByteHash

    init(channel: Span<UInt8>, name: Span<UInt8>) {
        self.channel = Self.hash(channel)
        self.name = Self.hash(name)
    }

    /// Nobody looks for longer names, so they are not gone through.
    private static func hash(_ name: Span<UInt8>) -> ByteHash {
        ByteHash(name.count <= AccessPolicy.longestName ? name : Span())
    }
}
