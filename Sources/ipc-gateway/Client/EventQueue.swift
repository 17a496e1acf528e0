// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import Synchronization

/// Events between the connection they come over and whoever prints them. When printing is slow, reading waits: the server
/// is slowed down, and nothing is lost or piles up.
final class EventQueue: Sendable {
    private static let highWater = 1_024

    private struct State {
        var count = 0
        var isPaused = false
    }

    private let transport: any MessagePassingProtocol
    private let state = Mutex(State())
    private let continuation: AsyncStream<IPCValue>.Continuation
    /// The events in their order. For one task.
    let events: AsyncStream<IPCValue>

    init(over transport: any MessagePassingProtocol) {
        self.transport = transport
        (events, continuation) = AsyncStream.makeStream()
    }

    /// Where events go in.
    var sink: EventSink<IPCValue> {
        EventSink(
            receive: { self.append($0) },
            end: { _ in self.continuation.finish() }
        )
    }

    private func append(_ payload: IPCValue) {
        continuation.yield(payload)
        let mustPause = state.withLock { state in
            state.count += 1
            guard state.count > Self.highWater, !state.isPaused else { return false }
            state.isPaused = true
            return true
        }
        if mustPause { transport.setDelivering(false) }
    }

    /// One event that was taken out is done with.
    func finishedOne() {
        let mayResume = state.withLock { state in
            state.count -= 1
            guard state.count < Self.highWater / 2, state.isPaused else { return false }
            state.isPaused = false
            return true
        }
        if mayResume { transport.setDelivering(true) }
    }
}
