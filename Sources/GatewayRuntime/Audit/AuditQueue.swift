// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import GatewayCore
internal import Glibc
internal import Synchronization

/// Lines between those who write them and the thread that takes them away.
final class AuditQueue: Sendable {
    /// What the thread is to do beside writing.
    struct Orders {
        /// Open the output anew.
        var reopens = false
        /// The moment by which everything has to be done; nil as long as lines may come.
        var deadline: UInt64?
    }

    /// What the thread does, and so whether it has to be woken.
    private enum Activity {
        /// It will look by itself.
        case working
        /// It gathers lines for a moment.
        case gathering
        /// It waits for the first line.
        case sleeping
    }

    private struct State {
        var lines: [[UInt8]] = []
        /// Lines and bytes that are not written yet, those that the thread has taken included.
        var heldLines = 0
        var heldBytes = 0
        var dropped = 0
        /// Dropped lines that no line has told of.
        var untold = 0
        var activity = Activity.working
        var orders = Orders()
    }

    private let mostLines: Int
    private let mostBytes: Int
    private let state = Mutex(State())
    private let wakeUp: Descriptor
    private let finish: Descriptor

    init(lines: Int, bytes: Int) throws(SystemError) {
        mostLines = lines
        mostBytes = bytes
        wakeUp = try Self.makeSignal()
        finish = try Self.makeSignal()
    }

    private static func makeSignal() throws(SystemError) -> Descriptor {
        let number = clinux_eventfd()
        guard number >= 0 else { throw SystemError("eventfd") }
        return Descriptor(number)
    }

    // MARK: Those who write

    func put(_ line: [UInt8]) {
        let wakes = state.withLock { state in
            // One line alone always fits.
            let fits =
                state.heldLines < mostLines && state.heldBytes + line.count <= mostBytes || state.heldLines == 0
            guard fits, state.orders.deadline == nil else {
                state.dropped += 1
                state.untold += 1
                return false
            }
            if state.untold > 0 { Self.tell(&state) }
            Self.add(line, &state)
            switch state.activity {
            case .working: return false
            case .gathering where state.heldLines < mostLines / 2 && state.heldBytes < mostBytes / 2: return false
            case .gathering, .sleeping:
                state.activity = .working
                return true
            }
        }
        if wakes { Self.signal(wakeUp) }
    }

    private static func add(_ line: [UInt8], _ state: inout State) {
        state.lines.append(line)
        state.heldLines += 1
        state.heldBytes += line.count
    }

    /// Says how many lines are missing here.
    private static func tell(_ state: inout State) {
        let now = MonotonicClock.now()
        add(AuditLine.dropped(state.untold, at: now, wallClockOffset: MonotonicClock.wallClockOffset()), &state)
        state.untold = 0
    }

    var droppedCount: Int { state.withLock { $0.dropped } }

    var waitingCount: Int { state.withLock { $0.heldLines } }

    func reopen() {
        state.withLock { $0.orders.reopens = true }
        Self.signal(wakeUp)
    }

    func close(by deadline: UInt64) {
        state.withLock { state in
            if state.orders.deadline == nil, state.untold > 0 { Self.tell(&state) }
            state.orders.deadline = min(deadline, state.orders.deadline ?? .max)
        }
        Self.signal(wakeUp)
    }

    /// Whether the thread has come to its end in time.
    func waitUntilFinished(by deadline: UInt64) -> Bool {
        while true {
            let now = MonotonicClock.now()
            // A moment more than the thread takes itself.
            let left = Int32(clamping: (max(deadline, now) - now) / 1_000_000 + 100)
            var event = pollfd(fd: finish.number, events: Int16(POLLIN), revents: 0)
            switch poll(&event, 1, left) {
            case 1: return true
            case 0: return false
            default: if errno != EINTR { return false }
            }
        }
    }

    // MARK: The thread

    /// Takes all lines; `lines` must be empty, and lends its room.
    func take(_ lines: inout [[UInt8]]) {
        state.withLock { state in
            swap(&lines, &state.lines)
            state.activity = .working
        }
    }

    /// Takes the orders. Opening anew is ordered once, the deadline stays.
    func takeOrders() -> Orders {
        state.withLock { state in
            defer { state.orders.reopens = false }
            return state.orders
        }
    }

    /// Makes room for lines that have been written, or that never will be.
    func release(lines: Int, bytes: Int, areDropped: Bool = false) {
        state.withLock { state in
            state.heldLines -= lines
            state.heldBytes -= bytes
            guard areDropped else { return }
            state.dropped += lines
            state.untold += lines
        }
    }

    /// Waits for a moment in which more lines may come.
    func gather(milliseconds: Int32) {
        guard prepareToWait(.gathering) else { return }
        _ = wait(milliseconds: milliseconds)
    }

    /// Waits for a line, or an order.
    func sleep() {
        guard prepareToWait(.sleeping) else { return }
        _ = wait(milliseconds: -1)
    }

    private func prepareToWait(_ activity: Activity) -> Bool {
        state.withLock { state in
            guard state.lines.isEmpty, !state.orders.reopens, state.orders.deadline == nil else { return false }
            state.activity = activity
            return true
        }
    }

    /// Waits for an order, or until something can be written.
    ///
    /// - Returns: Whether something can be written.
    func wait(forWriting descriptor: Int32 = -1, milliseconds: Int32) -> Bool {
        var events = [
            pollfd(fd: wakeUp.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
        ]
        guard poll(&events, 2, milliseconds) > 0 else { return false }
        if events[0].revents != 0 {
            var count: UInt64 = 0
            _ = read(wakeUp.number, &count, MemoryLayout<UInt64>.size)
        }
        return events[1].revents != 0
    }

    /// Says that the thread has come to its end.
    func finished() {
        Self.signal(finish)
    }

    private static func signal(_ descriptor: borrowing Descriptor) {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.number, &one, MemoryLayout<UInt64>.size)
    }
}
