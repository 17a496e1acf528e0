// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A table from ids to values, for what is looked up three times for each call.
///
/// Open addressing with linear probing; what is removed leaves no mark, as those behind it move up. Ids are chosen by
/// strangers, so each table hashes with a random factor of its own (multiply-shift: for any two ids the chance to meet
/// is at most two in the number of places), and nobody who does not know it can choose ids that meet.
struct RequestTable<Value: Sendable>: Sendable {
    private struct Slot: Sendable {
        var id: UInt64
        var value: Value
    }

    /// Odd.
    private let factor: UInt64
    private var slots: [Slot?] = []
    /// 64 less the logarithm of the number of places; of no meaning while there are none.
    private var shift: UInt64 = 0
    private(set) var count = 0

    /// - Parameter factor: For tests; nil for a random one.
    init(factor: UInt64? = nil) {
        self.factor = (factor ?? UInt64.random(in: .min ... .max)) | 1
    }

    var isEmpty: Bool { count == 0 }

    private func home(_ id: UInt64) -> Int { Int(truncatingIfNeeded: (id &* factor) &>> shift) }

    /// Where an id is, or the free place where it would be.
    @inline(__always)
    private func place(_ id: UInt64) -> Int {
        var index = home(id)
        while let other = slots[index]?.id, other != id { index = (index &+ 1) & (slots.count &- 1) }
        return index
    }

    /// The value of an id.
    subscript(id: UInt64) -> Value? {
        slots.isEmpty ? nil : slots[place(id)]?.value
    }

    /// Adds a value.
    ///
    /// - Returns: Whether the id was free; otherwise nothing has changed.
    mutating func insert(_ id: UInt64, _ value: Value) -> Bool {
        // A quarter is free at least, so that probing is short and ends.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let index = place(id)
        guard slots[index] == nil else { return false }
        slots[index] = Slot(id: id, value: value)
        count += 1
        return true
    }

    /// Changes the value of an id, if it is there.
    mutating func update(_ id: UInt64, _ change: (inout Value) -> Void) {
        guard !slots.isEmpty else { return }
        let index = place(id)
        guard var slot = slots[index] else { return }
        change(&slot.value)
        slots[index] = slot
    }

    /// Removes an id, if it is there and its value is as wanted.
    ///
    /// - Returns: Its value.
    @inline(__always)
    mutating func remove(_ id: UInt64, where isWanted: (Value) -> Bool = { _ in true }) -> Value? {
        guard !slots.isEmpty else { return nil }
        var hole = place(id)
        guard let removed = slots[hole], isWanted(removed.value) else { return nil }
        count -= 1
        let mask = slots.count - 1
        var index = (hole + 1) & mask
        // Whoever would be looked for at the hole moves into it, and leaves the next one.
        while let slot = slots[index] {
            let fromHome = (index - home(slot.id)) & mask
            if fromHome >= (index - hole) & mask {
                slots[hole] = slot
                hole = index
            }
            index = (index + 1) & mask
        }
        slots[hole] = nil
        return removed.value
    }

    /// All there are, in no order.
    var all: some Sequence<(id: UInt64, value: Value)> {
        slots.lazy.compactMap { slot in slot.map { (id: $0.id, value: $0.value) } }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: nil, count: max(8, old.count * 2))
        shift = UInt64(64 - slots.count.trailingZeroBitCount)
        for case let slot? in old { slots[place(slot.id)] = slot }
    }
}
