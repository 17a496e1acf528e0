// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import IPCProtocol

@Suite("Bytes taken as words")
struct WordTests {
    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }

    @Test("begin with the lowest byte, wherever they are", arguments: 0...8)
    func words(start: Int) {
        let bytes = (0..<16).map { UInt8(0xf0 - 13 * $0) }
        #expect(bytes.span.extracting(start...).firstWord == Self.number(bytes[start..<start + 8]))
        for count in 0..<8 {
            let part = bytes[start..<start + count]
            #expect(bytes.span.extracting(start..<start + count).shortWord == Self.number(part))
        }
    }
}
