// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Goes through the connections of a thread, some in each turn of the loop, so that the others have theirs.
final class Census: EventHandler {
    /// How much of a turn it takes, in nanoseconds.
    private static let slice: UInt64 = 1_000_000
    /// After how many connections it looks at the clock.
    private static let stride = 64

    private let reactor: Reactor
    private let visit: (Bridge) -> Void
    private let whenDone: () -> Void
    private var waiting: [Reactor.Handle]
    private var handle: Reactor.Handle?

    /// - Parameters:
    ///   - reactor: The thread's.
    ///   - visit: Called for each connection.
    ///   - whenDone: Called after that, once, also when the thread ends before.
    init(on reactor: Reactor, visit: @escaping (Bridge) -> Void, whenDone: @escaping () -> Void) {
        self.reactor = reactor
        self.visit = visit
        self.whenDone = whenDone
        waiting = reactor.handles { handler, role in handler is Bridge && role == Bridge.clientRole }
    }

    func start() {
        let handle = reactor.makeHandle(self)
        self.handle = handle
        continueNow()
    }

    func continueNow() {
        guard let handle else { return }
        let end = MonotonicClock.now() + Self.slice
        while !waiting.isEmpty {
            for _ in 0..<Self.stride {
                guard let next = waiting.popLast() else { break }
                if let bridge = reactor.handler(of: next) as? Bridge { visit(bridge) }
            }
            if !waiting.isEmpty, MonotonicClock.now() >= end { return reactor.continueSoon(handle) }
        }
        finish()
    }

    private func finish() {
        guard let handle else { return }
        reactor.release(handle)
        self.handle = nil
        whenDone()
    }

    func stopping() { finish() }

    func abandon() { finish() }

    func ready(_ readiness: Readiness, role: UInt8) {}

    func deadlinePassed(_ deadline: UInt64) {}

    func costlyTurn() {}
}
