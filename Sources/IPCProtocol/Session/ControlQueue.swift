// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The frames that are not messages and wait to be written, each in its place among the messages.
///
/// They belong to a connection and are lost with it.
struct ControlQueue: Sendable {
    private struct Entry: Sendable {
        var frame: Frame
        /// The message that goes before it.
        var after: UInt32
    }

    /// How many may wait; who adds one looks first.
    static let limit = 64

    private var entries: [Entry] = []

    /// How many wait.
    var count: Int { entries.count }

    /// Adds a frame behind a message.
    mutating func append(_ frame: Frame, after id: UInt32) {
        entries.append(Entry(frame: frame, after: id))
    }

    /// Returns whether there is one whose turn has come.
    func isReady(written: UInt32) -> Bool {
        entries.first.map { $0.after <= written } ?? false
    }

    /// Takes the first if its turn has come.
    mutating func next(written: UInt32) -> Frame? {
        isReady(written: written) ? entries.removeFirst().frame : nil
    }

    /// Forgets all.
    mutating func removeAll() {
        entries = []
    }
}
