// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOConcurrencyHelpers

/// One direction of a client in a ``Tunnel``: passes each message on, and reads no faster than the other side takes it.
///
/// Until the other side is there the messages wait here, up to a bound; then the source is not read any more.
final class TunnelDirection: MessageReceiver {
    /// What has passed.
    struct Count: Sendable {
        var messages = 0
        var bytes = 0
    }

    private struct State {
        var target: (any MessagePassingProtocol)?
        /// What came before there was a target.
        var early: [[UInt8]] = []
        /// Whether the source is stopped.
        var isHeld = false
        var hasSpoken = false
        var count = Count()
    }

    /// So many bytes may wait for the other side to be there, and the message that goes beyond.
    private static let earlyBytes = 256 * 1_024

    private let source: any MessagePassingProtocol
    private let state = NIOLockedValueBox(State())
    private let spoke: @Sendable () -> Void
    private let ended: @Sendable (ConnectionEnd) -> Void

    /// - Parameters:
    ///   - source: Where the messages come from.
    ///   - spoke: Called when the first has come.
    ///   - ended: Called when the source has ended, behind its last message.
    init(
        from source: any MessagePassingProtocol,
        spoke: @escaping @Sendable () -> Void = {},
        ended: @escaping @Sendable (ConnectionEnd) -> Void
    ) {
        self.source = source
        self.spoke = spoke
        self.ended = ended
    }

    /// What has passed, or waits to.
    var count: Count { state.withLockedValue { $0.count } }

    /// The other side is there: gets what has come by now, and everything that comes.
    func begin(to target: any MessagePassingProtocol) {
        state.withLockedValue { state in
            for message in state.early { target.send(message) }
            state.early = []
            state.target = target
            if state.isHeld {
                relieve(from: target)
            } else if target.isCongested {
                hold(&state, until: target)
            }
        }
    }

    // MARK: MessageReceiver

    func receive(_ message: [UInt8]) {
        // Transports are called under the lock, which they allow: it keeps the order of messages, and of stop and go.
        let isFirst = state.withLockedValue { state in
            state.count.messages += 1
            state.count.bytes += message.count
            if let target = state.target {
                target.send(message)
                if target.isCongested, !state.isHeld { hold(&state, until: target) }
            } else {
                state.early.append(message)
                if state.count.bytes > Self.earlyBytes, !state.isHeld {
                    state.isHeld = true
                    source.setDelivering(false)
                }
            }
            defer { state.hasSpoken = true }
            return !state.hasSpoken
        }
        if isFirst { spoke() }
    }

    func connectionEnded(_ end: ConnectionEnd) {
        ended(end)
    }

    // MARK: Stop and go

    private func hold(_ state: inout State, until target: any MessagePassingProtocol) {
        state.isHeld = true
        source.setDelivering(false)
        relieve(from: target)
    }

    /// Goes on when the target can take more, or has ended: then only the source's own end is of interest.
    private func relieve(from target: any MessagePassingProtocol) {
        Task {
            await target.drain()
            state.withLockedValue { state in
                state.isHeld = false
                source.setDelivering(true)
            }
        }
    }
}
