// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Handles in the order they came. Stale ones are left in and skipped by whoever takes them out.
struct HandleQueue {
    private var handles: [Reactor.Handle] = []
    private var head = 0

    var isEmpty: Bool { head == handles.count }

    mutating func append(_ handle: Reactor.Handle) {
        handles.append(handle)
    }

    mutating func popFirst() -> Reactor.Handle? {
        guard head < handles.count else { return nil }
        defer {
            head += 1
            if head == handles.count {
                handles.removeAll(keepingCapacity: head < 4096)
                head = 0
            } else if head > 4096, head > handles.count / 2 {
                handles.removeFirst(head)
                head = 0
            }
        }
        return handles[head]
    }
}
