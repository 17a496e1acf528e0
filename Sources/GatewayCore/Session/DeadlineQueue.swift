// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Deadlines of calls, the next one first.
///
/// A deadline whose call was answered stays until it is due, or until such deadlines are the most.
struct DeadlineQueue: Sendable {
    /// One call's.
    struct Entry: Sendable {
        var deadline: UInt64
        var id: UInt64
    }

    private var heap: [Entry] = []

    /// The next deadline; `UInt64.max` when there is none.
    var next: UInt64 { heap.first?.deadline ?? .max }

    /// How many are kept.
    var count: Int { heap.count }

    /// Adds a deadline; forgets those of calls that are not open any more when they are too many.
    mutating func add(_ deadline: UInt64, of id: UInt64, in requests: OpenRequests) {
        if heap.count > 2 * requests.callCount + 64 {
            let live = heap.filter { requests[$0.id]?.deadline == $0.deadline }
            heap = []
            for entry in live { push(entry) }
        }
        push(Entry(deadline: deadline, id: id))
    }

    /// Removes the next deadline if it is due.
    mutating func popDue(at now: UInt64) -> Entry? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first
    }

    private mutating func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].deadline < heap[parent].deadline else { break }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
