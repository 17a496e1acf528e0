// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What all connections of a gateway use up together, counted without a lock.
final class GatewayLoad: Sendable {
    private let clients = Atomic<Int>(0)
    private let incompleteBytes = Atomic<Int>(0)

    /// Counts one client more, if there is room.
    func addClient(limit: Int) -> Bool {
        guard clients.add(1, ordering: .relaxed).newValue <= limit else {
            removeClient()
            return false
        }
        return true
    }

    func removeClient() {
        clients.subtract(1, ordering: .relaxed)
    }

    /// Counts bytes of incomplete frames, or with a negative number discounts them.
    ///
    /// - Returns: How many there are over all connections.
    func addIncompleteBytes(_ count: Int) -> Int {
        incompleteBytes.add(count, ordering: .relaxed).newValue
    }
}
