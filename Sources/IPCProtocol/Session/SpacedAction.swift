// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Something that is done at most once in so long. A wish that comes too early waits.
struct SpacedAction: Sendable {
    private let spacing: UInt64
    private var doneAt: UInt64?
    private(set) var isWanted = false

    init(spacing: UInt64) {
        self.spacing = spacing
    }

    /// When it is due; `UInt64.max` while nobody wants it.
    var dueAt: UInt64 {
        guard isWanted else { return .max }
        return doneAt.map { $0.adding(spacing) } ?? 0
    }

    /// It is wanted, or not any more.
    mutating func want(_ wanted: Bool = true) {
        isWanted = wanted
    }

    /// Returns whether it is to be done now.
    mutating func take(at now: UInt64) -> Bool {
        guard dueAt <= now else { return false }
        isWanted = false
        doneAt = now
        return true
    }

    /// What it was last done for goes well: if it is still wanted, the time starts anew.
    mutating func postpone(at now: UInt64) {
        guard isWanted, doneAt != nil else { return }
        doneAt = now
    }

    /// There is a new connection: the time starts anew, and nobody wants anything.
    mutating func reset() {
        isWanted = false
        doneAt = nil
    }
}
