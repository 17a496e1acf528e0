// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Synchronization

/// What any thread and the event loop share of one session: the messages that wait to get into its window, who waits for
/// that, who watches its state, and numbers about it.
final class SessionShared: Sendable {
    typealias SessionState = PersistentConnection.State

    /// What has to be done after a message was appended.
    enum Appended {
        case nothing
        /// The event loop has to be told.
        case flushIsNeeded
        /// The bound is reached: the session has to be ended.
        case overflow
    }

    private struct Contents {
        var inbox = MessageQueue()
        var isFlushScheduled = false
        /// Whether messages are still accepted.
        var isOpen = true
        var isOver = false
        /// Whether its last connection is closed, too.
        var isClosed = false
        /// Whether the window is full.
        var isFull = false
        var windowCount = 0
        var windowBytes = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        var state = SessionState.connected
        var watchers: [Int: AsyncStream<SessionState>.Continuation] = [:]
        var nextWatcher = 0
        var statistics = PersistentConnection.Statistics()
        var security: ConnectionFacts.Security?
        var remoteAddress: SocketAddress?
        var endpoint: ClientEndpoint?
    }

    private let contents = NIOLockedValueBox(Contents())
    private let delivery = Atomic(true)
    private let highWaterMark: Int
    private let bound: Int

    init(options: TransportOptions) {
        highWaterMark = max(1, options.highWaterMark)
        // A frame's length has 32 bits.
        bound = min(options.maximumPendingBytes, Int(UInt32.max) - 13)
    }

    /// Whether messages are delivered. What has to be done when it changes is done on the event loop.
    var isDelivering: Bool {
        get { delivery.load(ordering: .relaxed) }
        set { delivery.store(newValue, ordering: .relaxed) }
    }

    // MARK: Messages

    /// Whether more waits than should.
    var isCongested: Bool { contents.withLockedValue { isCongested($0) } }

    /// Whether no message waits to get into the window.
    var isEmpty: Bool { contents.withLockedValue { $0.inbox.isEmpty } }

    private func isCongested(_ contents: Contents) -> Bool {
        !contents.isOver && (contents.isFull || contents.inbox.byteCount > highWaterMark)
    }

    func append(_ message: [UInt8]) -> Appended {
        contents.withLockedValue { contents in
            guard contents.isOpen else { return .nothing }
            guard contents.inbox.byteCount + message.count <= bound else {
                contents.isOpen = false
                return .overflow
            }
            contents.inbox.append(message)
            guard !contents.isFlushScheduled else { return .nothing }
            contents.isFlushScheduled = true
            return .flushIsNeeded
        }
    }

    /// The loop looks at the messages now: the next one has to be told again.
    func beginFlush() {
        contents.withLockedValue { $0.isFlushScheduled = false }
    }

    /// Takes the next message, for the window: it is counted there at once, so that it never seems to be acknowledged.
    func take() -> [UInt8]? {
        contents.withLockedValue { contents in
            guard let message = contents.inbox.take() else { return nil }
            contents.windowCount += 1
            contents.windowBytes += FrameHeader.byteCount + message.count
            return message
        }
    }

    /// Drops the messages that wait to get into the window.
    func forgetWaiting() {
        contents.withLockedValue { $0.inbox = MessageQueue() }
    }

    /// Where the last connection that was used was dialled to; nil for a server's session.
    var endpoint: ClientEndpoint? {
        get { contents.withLockedValue { $0.endpoint } }
        set { contents.withLockedValue { $0.endpoint = newValue } }
    }

    /// Takes note of how full the window is, and lets those go on who have waited for room.
    func noteWindow(count: Int, bytes: Int, isFull: Bool) {
        let relieved = contents.withLockedValue { contents in
            contents.windowCount = count
            contents.windowBytes = bytes
            contents.isFull = isFull
            guard !contents.waiters.isEmpty, !isCongested(contents) else { return contents.waiters.prefix(0) }
            defer { contents.waiters = [] }
            return contents.waiters[...]
        }
        for waiter in relieved { waiter.resume() }
    }

    /// Waits until the congestion is over, in the order of the calls.
    func drain() async {
        await withCheckedContinuation { waiter in
            let isWaiting = contents.withLockedValue { contents in
                guard isCongested(contents) else { return false }
                contents.waiters.append(waiter)
                return true
            }
            if !isWaiting { waiter.resume() }
        }
    }

    /// Accepts no further messages; what waits still leaves.
    func stopAccepting() {
        contents.withLockedValue { $0.isOpen = false }
    }

    // MARK: State

    /// What it is doing.
    var state: SessionState { contents.withLockedValue { $0.state } }

    /// A stream of what it does, from what it does now on.
    func watch() -> AsyncStream<SessionState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SessionState.self,
            bufferingPolicy: .bufferingNewest(16)
        )
        let number = contents.withLockedValue { contents -> Int? in
            continuation.yield(contents.state)
            guard !contents.isOver else { return nil }
            contents.nextWatcher += 1
            contents.watchers[contents.nextWatcher] = continuation
            return contents.nextWatcher
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.contents.withLockedValue { _ = $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Tells those who watch.
    func report(_ state: SessionState) {
        let watchers = contents.withLockedValue { contents in
            contents.state = state
            return Array(contents.watchers.values)
        }
        for watcher in watchers { watcher.yield(state) }
    }

    /// It is over: forgets what waits, and lets everybody go.
    func end() {
        let before = contents.withLockedValue { contents in
            let before = contents
            contents.isOpen = false
            contents.isOver = true
            contents.inbox = MessageQueue()
            contents.windowCount = 0
            contents.windowBytes = 0
            contents.waiters = []
            contents.watchers = [:]
            return before
        }
        for waiter in before.waiters { waiter.resume() }
        for watcher in before.watchers.values { watcher.finish() }
    }

    /// It is over, and its last connection is closed.
    func close() {
        let waiters = contents.withLockedValue { contents in
            contents.isClosed = true
            defer { contents.endWaiters = [] }
            return contents.endWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until it is over and its last connection is closed.
    func waitForEnd() async {
        await withCheckedContinuation { waiter in
            let isClosed = contents.withLockedValue { contents in
                if !contents.isClosed { contents.endWaiters.append(waiter) }
                return contents.isClosed
            }
            if isClosed { waiter.resume() }
        }
    }

    // MARK: Facts

    /// Numbers about it.
    var statistics: PersistentConnection.Statistics {
        contents.withLockedValue { contents in
            var statistics = contents.statistics
            statistics.unacknowledgedMessages = contents.windowCount + contents.inbox.count
            statistics.unacknowledgedBytes = contents.windowBytes + contents.inbox.byteCount
            return statistics
        }
    }

    func noteRoundTrip(_ time: Duration) {
        contents.withLockedValue { $0.statistics.roundTripTime = time }
    }

    func noteReconnections(_ count: Int) {
        contents.withLockedValue { $0.statistics.reconnections = count }
    }

    /// What is known of the peer on the last connection.
    var peer: (security: ConnectionFacts.Security?, address: SocketAddress?) {
        contents.withLockedValue { ($0.security, $0.remoteAddress) }
    }

    func notePeer(_ link: SessionLink) {
        let (security, address) = (link.security, link.remoteAddress)
        contents.withLockedValue { contents in
            contents.security = security
            contents.remoteAddress = address
        }
    }
}
