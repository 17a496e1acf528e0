// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPC
import NIOConcurrencyHelpers

/// A receiver that keeps what it gets.
final class RecordingReceiver: MessageReceiver {
    private struct State {
        var messages: [[UInt8]] = []
        var ends: [ConnectionEnd] = []
        var isInside = false
        var wasReentered = false
        var countAfterEnd = 0
    }

    private let state = NIOLockedValueBox(State())
    private let action: @Sendable ([UInt8]) -> Void

    /// - Parameter action: Done with each message, from within its delivery.
    init(_ action: @escaping @Sendable ([UInt8]) -> Void = { _ in }) {
        self.action = action
    }

    var messages: [[UInt8]] { state.withLockedValue { $0.messages } }
    var count: Int { state.withLockedValue { $0.messages.count } }
    var byteCount: Int { state.withLockedValue { $0.messages.reduce(0) { $0 + $1.count } } }
    var end: ConnectionEnd? { state.withLockedValue { $0.ends.first } }
    /// Whether the rules of `MessageReceiver` were kept.
    var isInOrder: Bool {
        state.withLockedValue { !$0.wasReentered && $0.ends.count <= 1 && $0.countAfterEnd == 0 }
    }

    func receive(_ message: [UInt8]) {
        state.withLockedValue { state in
            if state.isInside { state.wasReentered = true }
            if !state.ends.isEmpty { state.countAfterEnd += 1 }
            state.isInside = true
            state.messages.append(message)
        }
        action(message)
        state.withLockedValue { $0.isInside = false }
    }

    func connectionEnded(_ end: ConnectionEnd) {
        state.withLockedValue { state in
            if state.isInside { state.wasReentered = true }
            state.ends.append(end)
        }
    }
}
