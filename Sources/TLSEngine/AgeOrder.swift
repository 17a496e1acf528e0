// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Elements in the order they were added, any of which can be removed: a doubly linked list inside an array.
struct AgeOrder<Element> {
    private struct Slot {
        var element: Element?
        var older: Int
        var newer: Int
    }

    /// Slot 0 is the head of the ring: newer than the newest and older than the oldest.
    private var slots = [Slot(element: nil, older: 0, newer: 0)]
    private var free: [Int] = []
    private(set) var count = 0

    var oldest: Element? { self.slots[self.slots[0].newer].element }

    /// All elements, the oldest first.
    var all: [Element] {
        var all: [Element] = []
        all.reserveCapacity(self.count)
        var slot = self.slots[0].newer
        while let element = self.slots[slot].element {
            all.append(element)
            slot = self.slots[slot].newer
        }
        return all
    }

    subscript(slot: Int) -> Element? { self.slots[slot].element }

    /// - Returns: The slot by which the element is found and removed.
    mutating func append(_ element: Element) -> Int {
        let newest = self.slots[0].older
        let new = Slot(element: element, older: newest, newer: 0)
        let slot: Int
        if let reused = self.free.popLast() {
            slot = reused
            self.slots[slot] = new
        } else {
            slot = self.slots.count
            self.slots.append(new)
        }
        self.slots[newest].newer = slot
        self.slots[0].older = slot
        self.count += 1
        return slot
    }

    /// - Returns: What was there.
    mutating func remove(_ slot: Int) -> Element? {
        guard let element = self.slots[slot].element else {
            return nil
        }
        let (older, newer) = (self.slots[slot].older, self.slots[slot].newer)
        self.slots[older].newer = newer
        self.slots[newer].older = older
        self.slots[slot].element = nil
        self.free.append(slot)
        self.count -= 1
        return element
    }
}
