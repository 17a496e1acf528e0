// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A hash table from names, each within a scope, to numbers. Looking up allocates nothing.
///
/// Names are bytes. `Dictionary` would need an array, or a `String`, for every name that is asked for.
struct NameTable: Sendable {
    private struct Entry {
        var hash: UInt64
        var scope: Int32
        var value: Int32
        var start: Int
        var count: Int
    }

    private var entries: [Entry] = []
    /// Indices of entries, -1 where there is none; at most half full, a power of two.
    private var slots: [Int32] = [-1, -1]
    private var text: [UInt8] = []

    /// Adds a name that is not there yet.
    mutating func insert(_ name: [UInt8], scope: Int32, value: Int32) {
        let hash = ByteHash(name.span).value(in: scope)
        entries.append(Entry(hash: hash, scope: scope, value: value, start: text.count, count: name.count))
        text += name
        if entries.count * 2 > slots.count {
            slots = [Int32](repeating: -1, count: slots.count * 2)
            for index in entries.indices { place(index) }
        } else {
            place(entries.count - 1)
        }
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: entries[index].hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(index)
    }

    /// The number of a name; `steps` grows by the slots that were looked at.
    func find(_ name: Span<UInt8>, hash: ByteHash, scope: Int32, steps: inout Int) -> Int32? {
        let hash = hash.value(in: scope)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            steps += 1
            let index = slots[slot]
            if index < 0 { return nil }
            let entry = entries[Int(index)]
            if entry.hash == hash, entry.scope == scope, entry.count == name.count, isText(name, at: entry.start) {
                return entry.value
            }
            slot = (slot + 1) & mask
        }
    }

    private func isText(_ name: Span<UInt8>, at start: Int) -> Bool {
        for index in name.indices where text[start + index] != name[index] { return false }
        return true
    }
}
