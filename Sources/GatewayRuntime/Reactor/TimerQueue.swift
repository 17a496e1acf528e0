// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Deadlines in order, as a binary heap. Cancelling is left to the owner, who ignores a deadline it no longer has.
struct TimerQueue {
    /// A moment, and who wants to hear of it.
    struct Entry {
        var deadline: UInt64
        var handle: Reactor.Handle
    }

    private static let fewest = 4096

    private var heap: [Entry] = []
    private var countToPrune = TimerQueue.fewest

    /// The next deadline.
    var next: UInt64? { heap.first?.deadline }

    mutating func add(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Forgets entries that nobody waits for any more, once there are many: a timer outlives who asked for it.
    mutating func pruneIfLarge(where isWanted: (Reactor.Handle) -> Bool) {
        guard heap.count >= countToPrune else { return }
        // A sorted array is a heap.
        heap = heap.filter { isWanted($0.handle) }.sorted { $0.deadline < $1.deadline }
        countToPrune = max(Self.fewest, 2 * heap.count)
    }

    /// Takes out the first entry that is due.
    mutating func popDue(at now: UInt64) -> Entry? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].deadline < heap[least].deadline { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
