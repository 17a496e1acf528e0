// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Two ends in one process: what one sends the other receives (VS Code's tests call it a queue protocol).
public enum MessagePair {
    /// Makes two ends that are connected with each other. Closing one closes both.
    public static func make() -> (any MessagePassingProtocol, any MessagePassingProtocol) {
        let (first, second) = (MemoryTransport(), MemoryTransport())
        first.connect(to: second)
        second.connect(to: first)
        return (first, second)
    }
}

/// One end of a pair. What it is sent waits in it until a task of its own has delivered it.
private final class MemoryTransport: MessagePassingProtocol {
    private struct State {
        var receiver: (any MessageReceiver)?
        var inbox: [[UInt8]] = []
        var head = 0
        var byteCount = 0
        var isPumping = false
        var isDelivering = true
        var end: ConnectionEnd?
        /// Whether this side has closed: then what waits is not wanted any more.
        var isClosedHere = false
        var isOver = false
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
        /// Strong until the end: two ends keep each other alive, as a socket does its peer.
        var peer: MemoryTransport?
    }

    private enum Next {
        case message([UInt8], any MessageReceiver)
        case end(ConnectionEnd, any MessageReceiver)
        case nothing
    }

    /// More than this waiting is congestion.
    private static let highWater = 1024 * 1024

    private let state = Mutex(State())

    func connect(to peer: MemoryTransport) {
        state.withLock { $0.peer = peer }
    }

    private var peer: MemoryTransport? {
        state.withLock { $0.peer }
    }

    // MARK: Sending

    var isCongested: Bool {
        peer?.isFull ?? false
    }

    func drain() async {
        await peer?.waitForRoom()
    }

    func send(_ message: [UInt8]) {
        peer?.enqueue(message)
    }

    func close(_ end: ConnectionEnd) {
        let peer = peer
        finish(end, isClosedHere: true)
        peer?.finish(.closed)
    }

    // MARK: Receiving

    func start(delivering receiver: any MessageReceiver) {
        state.withLock { $0.receiver = receiver }
        pump()
    }

    func setDelivering(_ isDelivering: Bool) {
        state.withLock { $0.isDelivering = isDelivering }
        pump()
    }

    private var isFull: Bool {
        state.withLock { $0.byteCount > Self.highWater && $0.end == nil }
    }

    private func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.byteCount <= Self.highWater / 2 || state.end != nil { return true }
                state.roomWaiters.append(continuation)
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }

    private func enqueue(_ message: [UInt8]) {
        state.withLock { state in
            guard state.end == nil else { return }
            state.inbox.append(message)
            state.byteCount += message.count
        }
        pump()
    }

    private func finish(_ end: ConnectionEnd, isClosedHere: Bool = false) {
        let waiters = state.withLock { state in
            if state.end == nil { state.end = end }
            if isClosedHere { state.isClosedHere = true }
            state.peer = nil
            defer { state.roomWaiters = [] }
            return state.roomWaiters
        }
        for waiter in waiters { waiter.resume() }
        pump()
    }

    /// Delivers what waits, by one task at a time.
    private func pump() {
        let mustStart = state.withLock { state in
            guard !state.isPumping, state.receiver != nil, !state.isOver else { return false }
            state.isPumping = true
            return true
        }
        guard mustStart else { return }
        // Detached: what sends has nothing to do with what is delivered.
        Task.detached {
            while true {
                let (next, waiters) = self.state.withLock { self.takeNext(&$0) }
                for waiter in waiters { waiter.resume() }
                switch next {
                case .message(let message, let receiver): receiver.receive(message)
                case .end(let end, let receiver): receiver.connectionEnded(end)
                case .nothing: return
                }
            }
        }
    }

    private func takeNext(_ state: inout State) -> (Next, [CheckedContinuation<Void, Never>]) {
        guard let receiver = state.receiver, !state.isOver else {
            state.isPumping = false
            return (.nothing, [])
        }
        if state.isDelivering, !state.isClosedHere, state.head < state.inbox.count {
            let message = state.inbox[state.head]
            state.inbox[state.head] = []
            state.head += 1
            if state.head > 256, state.head > state.inbox.count / 2 {
                state.inbox.removeFirst(state.head)
                state.head = 0
            }
            state.byteCount -= message.count
            guard state.byteCount <= Self.highWater / 2 else { return (.message(message, receiver), []) }
            defer { state.roomWaiters = [] }
            return (.message(message, receiver), state.roomWaiters)
        }
        if state.head == state.inbox.count {
            state.inbox = []
            state.head = 0
        }
        if let end = state.end, state.inbox.isEmpty || state.isClosedHere {
            state.isOver = true
            state.isPumping = false
            state.receiver = nil
            state.inbox = []
            return (.end(end, receiver), [])
        }
        state.isPumping = false
        return (.nothing, [])
    }
}
