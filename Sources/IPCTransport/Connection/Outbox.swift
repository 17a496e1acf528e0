// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import NIOConcurrencyHelpers
internal import NIOCore

/// What any thread and the event loop share of one connection: the frames that wait to be sent, and who waits for them
/// to become fewer.
final class Outbox: Sendable {
    /// What has to be done after a frame was appended.
    enum Appended {
        /// Nothing: somebody has been told already, or nothing is sent any more.
        case nothing
        /// The event loop has to be told.
        case flushIsNeeded
        /// The bound is reached: the connection has to be ended.
        case overflow
    }

    private struct State {
        var queue = OutgoingQueue()
        /// Whether the event loop will look at the queue anyway.
        var isFlushScheduled = false
        var isCongested = false
        /// Whether frames are still accepted.
        var isOpen = true
        /// Whether nothing will ever leave any more.
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []

        /// Ends the congestion, if it is over.
        ///
        /// - Returns: Who has waited for that.
        mutating func relieve(below lowWaterMark: Int) -> [CheckedContinuation<Void, Never>] {
            guard isCongested, isOver || queue.byteCount <= lowWaterMark else { return [] }
            isCongested = false
            defer { waiters = [] }
            return waiters
        }
    }

    private let state = NIOLockedValueBox(State())
    private let highWaterMark: Int
    private let lowWaterMark: Int
    private let bound: Int

    init(options: TransportOptions) {
        highWaterMark = max(1, options.highWaterMark)
        lowWaterMark = highWaterMark / 2
        // A frame's length has 32 bits.
        bound = min(options.maximumPendingBytes, Int(UInt32.max))
    }

    /// Whether more waits than should.
    var isCongested: Bool { state.withLockedValue { $0.isCongested } }

    /// Whether nothing waits.
    var isEmpty: Bool { state.withLockedValue { $0.queue.byteCount == 0 } }

    /// Appends a frame.
    func append(type: FrameType, _ body: [UInt8]) -> Appended {
        state.withLockedValue { state in
            guard state.isOpen else { return .nothing }
            guard state.queue.byteCount + FrameHeader.byteCount + body.count <= bound else {
                state.isOpen = false
                return .overflow
            }
            state.queue.append(type: type, body)
            if state.queue.byteCount > highWaterMark { state.isCongested = true }
            guard !state.isFlushScheduled else { return .nothing }
            state.isFlushScheduled = true
            return .flushIsNeeded
        }
    }

    /// Takes what leaves next, and whether that was all; nil when nothing waits. When it was all, the next frame needs
    /// a flush again.
    func take() -> (piece: ByteBuffer, wasLast: Bool)? {
        var relieved: [CheckedContinuation<Void, Never>] = []
        let taken: (piece: ByteBuffer, wasLast: Bool)? = state.withLockedValue { state in
            guard let piece = state.queue.take() else {
                state.isFlushScheduled = false
                return nil
            }
            let wasLast = state.queue.byteCount == 0
            if wasLast { state.isFlushScheduled = false }
            relieved = state.relieve(below: lowWaterMark)
            return (piece, wasLast)
        }
        for waiter in relieved { waiter.resume() }
        return taken
    }

    /// Waits until the congestion is over, in the order of the calls.
    func drain() async {
        await withCheckedContinuation { waiter in
            let isWaiting = state.withLockedValue { state in
                guard state.isCongested else { return false }
                state.waiters.append(waiter)
                return true
            }
            if !isWaiting { waiter.resume() }
        }
    }

    /// Accepts no further frames; what waits still leaves.
    func stopAccepting() {
        state.withLockedValue { $0.isOpen = false }
    }

    /// Nothing leaves any more: forgets what waits and lets everybody go who waits for it.
    func end() {
        let relieved = state.withLockedValue { state in
            state.isOpen = false
            state.isOver = true
            state.queue.removeAll()
            return state.relieve(below: 0)
        }
        for waiter in relieved { waiter.resume() }
    }
}
