// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// Gets what happens on descriptors and clocks; lives on its reactor's thread.
protocol EventHandler: AnyObject {
    /// A watched descriptor is ready. `role` is the one given to `Reactor.makeHandle`.
    func ready(_ readiness: Readiness, role: UInt8)
    /// A deadline given to `Reactor.wake` has passed. Earlier deadlines that no longer matter arrive too.
    func deadlinePassed(_ deadline: UInt64)
    /// The turn asked for with `Reactor.continueSoon` has come.
    func continueNow()
    /// The turn asked for with `Reactor.takeCostlyTurn` has come.
    func costlyTurn()
    /// The gateway stops; finish and release every handle.
    func stopping()
    /// There is no time left: say what is to be said, and release every handle.
    func abandon()
}

/// One thread's event loop over epoll. Everything but `mailbox` belongs to that thread.
final class Reactor {
    /// Names a handler's place in the loop. A stale handle names nothing, even when its place has been taken again.
    struct Handle: Equatable {
        fileprivate var index: UInt32
        fileprivate var generation: UInt32

        fileprivate var token: UInt64 { UInt64(generation) << 32 | UInt64(index) }
    }

    private struct Slot {
        var handler: (any EventHandler)?
        var role: UInt8 = 0
        var generation: UInt32 = 0
        var descriptor: Int32 = -1
        var interest: Readiness?
    }

    private static let mailboxToken = UInt64.max

    /// Where other threads leave work.
    let mailbox: Mailbox
    /// What the connections of this thread share.
    let scratch = Scratch()
    /// The time at which the current turn began, after the wait for it.
    private(set) var now = MonotonicClock.now()

    /// How many turns the loop has had.
    private(set) var turnCount = 0

    private let epoll: Epoll
    private var slots: [Slot] = []
    private var free: [UInt32] = []
    private var timers = TimerQueue()
    private var continuing: [Handle] = []
    private var costly = HandleQueue()
    private var stopDeadline: UInt64?
    private var memory = MemoryTrimmer()

    init() throws(SystemError) {
        mailbox = try Mailbox()
        epoll = try Epoll()
        try epoll.add(mailbox.descriptorNumber, .readable, token: Self.mailboxToken)
    }

    // MARK: Handles

    /// A large message, or several, are complete and hold no memory any more.
    func noteReleased(_ byteCount: Int) {
        memory.noteReleased(byteCount, at: now)
    }

    /// A place for `handler`, which the reactor keeps alive until `release`.
    func makeHandle(_ handler: any EventHandler, role: UInt8 = 0) -> Handle {
        let index = free.popLast() ?? UInt32(slots.count)
        if index == slots.count { slots.append(Slot()) }
        slots[Int(index)].handler = handler
        slots[Int(index)].role = role
        memory.noteHandles(slots.count - free.count, at: now)
        return Handle(index: index, generation: slots[Int(index)].generation)
    }

    /// Ends watching and forgets the handler. Call it before the descriptor is closed.
    func release(_ handle: Handle) {
        guard isLive(handle) else { return }
        unwatch(handle)
        let index = Int(handle.index)
        slots[index] = Slot(generation: slots[index].generation &+ 1)
        free.append(handle.index)
        memory.noteHandles(slots.count - free.count, at: now)
    }

    private func isLive(_ handle: Handle) -> Bool {
        slots[Int(handle.index)].generation == handle.generation && slots[Int(handle.index)].handler != nil
    }

    /// Watches a descriptor, or changes what it is watched for. Costs nothing when nothing changes.
    func watch(_ handle: Handle, _ descriptor: Int32, for interest: Readiness) throws(SystemError) {
        let index = Int(handle.index)
        guard isLive(handle), slots[index].interest != interest else { return }
        if slots[index].interest == nil {
            try epoll.add(descriptor, interest, token: handle.token)
        } else {
            try epoll.modify(descriptor, interest, token: handle.token)
        }
        slots[index].descriptor = descriptor
        slots[index].interest = interest
    }

    /// Stops watching, hang-ups included, which cannot be masked otherwise.
    func unwatch(_ handle: Handle) {
        let index = Int(handle.index)
        guard isLive(handle), slots[index].interest != nil else { return }
        epoll.remove(slots[index].descriptor)
        slots[index].interest = nil
    }

    /// Calls the handler's `deadlinePassed` once the time has come.
    func wake(_ handle: Handle, at deadline: UInt64) {
        timers.pruneIfLarge(where: isLive)
        timers.add(TimerQueue.Entry(deadline: deadline, handle: handle))
    }

    /// Calls the handler's `continueNow` after everything else that is ready has had its turn.
    func continueSoon(_ handle: Handle) {
        continuing.append(handle)
    }

    /// Calls the handler's `costlyTurn` when everybody else has had a turn and those who asked before have had theirs.
    ///
    /// There is one such turn in each round of the loop, for work that takes a millisecond: however many ask, those who
    /// have only messages to pass wait for one of them at most.
    func takeCostlyTurn(_ handle: Handle) {
        costly.append(handle)
    }

    // MARK: The loop

    /// Runs until `stop` and until every handler is gone, or the stop's grace is over.
    func run() {
        while true {
            if let stopDeadline, now >= stopDeadline || free.count == slots.count { return releaseAll() }
            let count = epoll.wait(milliseconds: timeout())
            // Before anybody takes it: the wait may have lasted hours, and a deadline counted from its start be over.
            now = MonotonicClock.now()
            turnCount &+= 1
            for index in 0..<count {
                let (token, readiness) = epoll.report(index)
                dispatch(token, readiness)
            }
            while let entry = timers.popDue(at: now) {
                if let handler = handler(of: entry.handle) { handler.deadlinePassed(entry.deadline) }
            }
            let turn = continuing
            continuing.removeAll(keepingCapacity: true)
            for handle in turn {
                handler(of: handle)?.continueNow()
            }
            while let handle = costly.popFirst() {
                guard let handler = handler(of: handle) else { continue }
                handler.costlyTurn()
                break
            }
            memory.trimIfDue(at: now)
        }
    }

    /// Whether handlers have been told to finish.
    var isStopping: Bool { stopDeadline != nil }

    /// Lets `run` return now: handlers are told that there is no time left.
    func stopNow() {
        stopDeadline = now
    }

    /// Tells every handler to finish within `grace` nanoseconds, and lets `run` return then.
    func stop(grace: UInt64) {
        guard stopDeadline == nil else { return }
        stopDeadline = now + grace
        for slot in slots {
            slot.handler?.stopping()
        }
    }

    private func releaseAll() {
        for index in slots.indices {
            slots[index].handler?.abandon()
            slots[index].handler = nil
        }
    }

    /// The handles for which something holds of their handler and role.
    func handles(where holds: (any EventHandler, UInt8) -> Bool) -> [Handle] {
        slots.indices.compactMap { index in
            guard let handler = slots[index].handler, holds(handler, slots[index].role) else { return nil }
            return Handle(index: UInt32(index), generation: slots[index].generation)
        }
    }

    /// Who has a handle; nil for one that was released.
    func handler(of handle: Handle) -> (any EventHandler)? {
        isLive(handle) ? slots[Int(handle.index)].handler : nil
    }

    private func dispatch(_ token: UInt64, _ readiness: Readiness) {
        if token == Self.mailboxToken {
            for work in mailbox.take() { work(self) }
            return
        }
        let handle = Handle(index: UInt32(truncatingIfNeeded: token), generation: UInt32(token >> 32))
        // An earlier report of the same batch may have released it.
        guard let handler = handler(of: handle) else { return }
        handler.ready(readiness, role: slots[Int(handle.index)].role)
    }

    private func timeout() -> Int32 {
        if !continuing.isEmpty || !costly.isEmpty { return 0 }
        // Without a list of the three: that would be an allocation in each round.
        let deadline = min(timers.next ?? .max, stopDeadline ?? .max, memory.deadline ?? .max)
        guard deadline < .max else { return -1 }
        guard deadline > now else { return 0 }
        // Rounded up: waking a little early would spin until the deadline.
        return Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }
}

extension Reactor {
    /// Work that other threads leave for a reactor.
    final class Mailbox: Sendable {
        typealias Work = @Sendable (Reactor) -> Void

        private let descriptor: Descriptor
        private let work = Mutex<[Work]>([])
        private let closed = Atomic<Bool>(false)

        fileprivate init() throws(SystemError) {
            let number = clinux_eventfd()
            guard number >= 0 else { throw SystemError("eventfd") }
            descriptor = Descriptor(number)
        }

        fileprivate var descriptorNumber: Int32 { descriptor.number }

        /// Runs `body` on the reactor's thread, soon.
        func post(_ body: @escaping Work) {
            work.withLock { $0.append(body) }
            var one: UInt64 = 1
            _ = write(descriptor.number, &one, MemoryLayout<UInt64>.size)
        }

        /// Whether the reactor's thread has ended, and nothing is done any more.
        var isClosed: Bool { closed.load(ordering: .acquiring) }

        /// The thread has ended.
        func close() {
            closed.store(true, ordering: .releasing)
        }

        fileprivate func take() -> [Work] {
            var count: UInt64 = 0
            _ = read(descriptor.number, &count, MemoryLayout<UInt64>.size)
            return work.withLock { work in
                defer { work = [] }
                return work
            }
        }
    }
}
