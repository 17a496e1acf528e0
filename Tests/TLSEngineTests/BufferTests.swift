// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLSEngine

@Suite struct BufferTests {
    @Test("The output gives back what was appended, in order, however it is consumed")
    func order() {
        let output = TLSOutput()
        var expected: [UInt8] = []
        var seen: [UInt8] = []
        var random = SystemRandomNumberGenerator()
        for round in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<300, using: &random)).map { UInt8(truncatingIfNeeded: $0 + round) }
            bytes.withUnsafeBytes { output.append($0) }
            expected += bytes
            let taken = Int.random(in: 0...output.count, using: &random)
            output.withUnsafeBytes { seen += $0.prefix(taken) }
            output.consume(taken)
        }
        output.withUnsafeBytes { seen += $0 }
        output.consume(output.count)
        #expect(seen == expected)
        #expect(output.isEmpty)
    }

    @Test("An emptied output keeps its memory up to 512 KiB and gives back more")
    func memory() {
        let output = TLSOutput()
        #expect(output.allocatedByteCount == 0)
        for (count, isKept) in [(1000, true), (512 * 1024, true), (512 * 1024 + 1, false)] {
            [UInt8](repeating: 1, count: count).withUnsafeBytes { output.append($0) }
            #expect(output.allocatedByteCount >= count)
            output.consume(count)
            #expect((output.allocatedByteCount > 0) == isKept)
        }
    }

    @Test("The memory begins on a cache line")
    func alignment() {
        let output = TLSOutput()
        for count in [1, 5000, 100_000] {
            [UInt8](repeating: 1, count: count).withUnsafeBytes { output.append($0) }
            output.withUnsafeBytes { #expect(UInt(bitPattern: $0.baseAddress) % 64 == 0) }
        }
    }
}
