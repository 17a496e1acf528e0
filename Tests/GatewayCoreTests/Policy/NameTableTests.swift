// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GatewayCore

@Suite("Names and their hashes")
struct NameTableTests {
    private static func find(_ name: [UInt8], _ scope: Int32, in table: NameTable) -> Int32? {
        var steps = 0
        return table.find(name.span, hash: ByteHash(name.span), scope: scope, steps: &steps)
    }

    @Test("A prefix has the same hash whether shorter ones were hashed before or not", arguments: [1, 3, 7, 8, 9, 41])
    func prefixes(stride step: Int) {
        let bytes = (0..<100).map { UInt8($0 * 7 & 0xff) }
        var prefix = ByteHash.Prefix()
        var wrong = 0
        for count in stride(from: 0, through: bytes.count, by: step) {
            let text = bytes.span.extracting(..<count)
            let hash = prefix.extend(to: text)
            let again = prefix.extend(to: text)
            let whole = ByteHash(text).value(in: 3)
            if hash.value(in: 3) != whole || again.value(in: 3) != whole { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test("Zeros at the end of a name count")
    func zeros() {
        let hashes = (0...40).map { ByteHash([UInt8](repeating: 0, count: $0).span).value(in: 0) }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test("A name is found by all of its bytes, its length and its scope", arguments: 0...40)
    func exact(count: Int) {
        let name = (0..<count).map { UInt8(0x61 + $0 % 26) }
        var table = NameTable()
        table.insert(name, scope: 5, value: 17)
        #expect(Self.find(name, 5, in: table) == 17)
        #expect(Self.find(name, 4, in: table) == nil)
        #expect(Self.find(name + [0], 5, in: table) == nil)
        #expect(Self.find(name + [0x61], 5, in: table) == nil)
        for place in 0..<count {
            var other = name
            other[place] ^= 0x80
            #expect(Self.find(other, 5, in: table) == nil)
            #expect(Self.find(Array(name.prefix(place)), 5, in: table) == nil)
        }
    }

    @Test("Names are compared though their hashes are equal")
    func collision() {
        let name = Array("channel-1".utf8)
        var table = NameTable()
        table.insert(name, scope: 0, value: 1)
        for place in name.indices {
            var other = name
            other[place] ^= 1
            var steps = 0
            let found = table.find(other.span, hash: ByteHash(name.span), scope: 0, steps: &steps)
            #expect(found == nil)
        }
    }

    @Test("Names that are too long for anybody to look for are not gone through")
    func longNames() {
        let longest = [UInt8](repeating: 0x61, count: AccessPolicy.longestName)
        let longer = longest + [0x61]
        let hashes = NameHashes(channel: longest.span, name: longer.span)
        #expect(hashes.channel.value(in: 0) == ByteHash(longest.span).value(in: 0))
        #expect(hashes.name.value(in: 0) == ByteHash(Span()).value(in: 0))
    }
}
