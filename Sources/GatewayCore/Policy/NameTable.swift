// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A hash table from names, each within a scope, to numbers. Looking up allocates nothing.
///
/// Names are bytes. `Dictionary` would need an array, or a `String`, for every name that is asked for. With thousands of
/// names a look-up costs what it misses of the processor's caches: so a slot is small, and all but the text is in it.
struct NameTable: Sendable {
    private struct Slot {
        /// -1 where there is no name.
        var scope: Int32 = -1
        /// The half of the hash that does not choose the slot.
        var hash: UInt32 = 0
        var value: Int32 = 0
        var start: Int32 = 0
        var count: Int32 = 0
    }

    /// At most half full, a power of two.
    private var slots = [Slot](repeating: Slot(), count: 2)
    private var nameCount = 0
    private var text: [UInt8] = []

    /// Adds a name that is not there yet.
    mutating func insert(_ name: [UInt8], scope: Int32, value: Int32) {
        nameCount += 1
        if nameCount * 2 > slots.count {
            let old = slots
            slots = [Slot](repeating: Slot(), count: old.count * 2)
            for slot in old where slot.scope >= 0 { place(slot) }
        }
        place(Slot(scope: scope, value: value, start: Int32(text.count), count: Int32(name.count)), name.span)
        text += name
    }

    private mutating func place(_ slot: Slot) {
        let start = Int(slot.start)
        let name = Array(text[start..<start + Int(slot.count)])
        place(slot, name.span)
    }

    private mutating func place(_ slot: Slot, _ name: Span<UInt8>) {
        let hash = ByteHash(name).value(in: slot.scope)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].scope >= 0 { index = (index + 1) & mask }
        slots[index] = slot
        slots[index].hash = UInt32(hash >> 32)
    }

    /// The number of a name; `steps` grows by the slots that were looked at.
    func find(_ name: Span<UInt8>, hash: ByteHash, scope: Int32, steps: inout Int) -> Int32? {
        let hash = hash.value(in: scope)
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            steps += 1
            let slot = slots[index]
            if slot.scope < 0 { return nil }
            if slot.hash == UInt32(hash >> 32), slot.scope == scope, slot.count == name.count,
                isText(name, at: Int(slot.start))
            {
                return slot.value
            }
            index = (index + 1) & mask
        }
    }

    private func isText(_ name: Span<UInt8>, at start: Int) -> Bool {
        var rest = name
        var stored = text.span.extracting(start..<start + name.count)
        while rest.count >= 8, stored.count >= 8 {
            guard rest.firstWord == stored.firstWord else { return false }
            rest = rest.extracting(8...)
            stored = stored.extracting(8...)
        }
        return rest.shortWord == stored.shortWord
    }
}
