// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The connections of a thread whose client is not known yet, in the order they came.
///
/// They have a pool of their own, so that strangers never take the places of clients. When it is full the oldest makes
/// room: who is who they say needs milliseconds, who only holds a place does it longest.
final class Newcomers {
    private let limit: Int
    private var first: Bridge?
    private weak var last: Bridge?
    private var count = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes in a connection.
    ///
    /// - Returns: The one that has to go for it.
    func add(_ bridge: Bridge) -> Bridge? {
        bridge.older = last
        if let last { last.newer = bridge } else { first = bridge }
        last = bridge
        count += 1
        return count > limit ? first : nil
    }

    /// Lets a connection out; nothing happens when it is not in.
    func remove(_ bridge: Bridge) {
        guard bridge.older != nil || first === bridge else { return }
        if let older = bridge.older { older.newer = bridge.newer } else { first = bridge.newer }
        if let newer = bridge.newer { newer.older = bridge.older } else { last = bridge.older }
        bridge.older = nil
        bridge.newer = nil
        count -= 1
    }
}
