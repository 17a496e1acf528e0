// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@testable import GatewayCore

@Suite("A table of requests")
struct RequestTableTests {
    /// Two ids that differ in high bits only meet with the factor 1, and so does whatever is small.
    @Test("does what a dictionary does, whatever is put in and taken out", arguments: [1, 0x9E37_79B9_7F4A_7C15, nil])
    func likeDictionary(factor: UInt64?) {
        var generator = SeededGenerator(seed: 11)
        var table = RequestTable<Int>(factor: factor)
        var dictionary: [UInt64: Int] = [:]
        var wrong = 0
        for step in 0..<40_000 {
            // Few enough ids for most steps to hit one that is there.
            let id = UInt64.random(in: 0..<200, using: &generator) << (step % 3 == 0 ? 40 : 0)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                let isFree = dictionary[id] == nil
                if isFree { dictionary[id] = step }
                let wasInserted = table.insert(id, step)
                if wasInserted != isFree { wrong += 1 }
            case 2:
                let removed = table.remove(id)
                if removed != dictionary.removeValue(forKey: id) { wrong += 1 }
            default:
                table.update(id) { $0 += 1 }
                dictionary[id]? += 1
            }
            if table[id] != dictionary[id] || table.count != dictionary.count { wrong += 1 }
        }
        let same = Dictionary(uniqueKeysWithValues: table.all.map { ($0.id, $0.value) }) == dictionary
        #expect(wrong == 0)
        #expect(same)
    }

    @Test("removes only what is as wanted")
    func conditional() {
        var table = RequestTable<Int>()
        let isNew = table.insert(7, 1)
        let other = table.remove(7) { $0 == 2 }
        let wanted = table.remove(7) { $0 == 1 }
        #expect(isNew)
        #expect(other == nil)
        #expect(wanted == 1)
        #expect(table.isEmpty)
    }
}
