// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

/// What a client decides to get its session and to keep it: what it dials when, what the server's answers mean, and when it
/// gives up. It has no socket and no clock: it is told what happened and says what to do.
///
/// The rules:
///
/// - To open a session each address is tried once. `limit`, `draining` and `upstream-unavailable` lead to the next one; any
///   other refusal ends it.
/// - After a loss the address that has the session is tried first, at once, then the others in turn, with growing waits
///   between the rounds. A connection that has carried something, or was there for ``stableTime``, starts the waits anew.
/// - A refusal by the address that has the session is for good, whatever its code. Another address may, of a session that is
///   not its own, say what is wrong without ending it, see ``isPermanent(_:fromHome:)``; unless it means "not now", it is not
///   asked again during this loss.
/// - All that ends when the grace time is over that the server has told, counted from the loss.
struct SessionKeeper: Sendable {
    enum Action: Sendable, Hashable {
        /// Dial the address of this number. What becomes of it is told by `connected` or `failed`.
        case dial(Int)
        /// Stop dialling, and close the connection if there is one.
        case hangUp
        /// Send this over the new connection.
        case send(SessionControl)
        /// The session is there: messages flow.
        case open
        /// The session goes on over the new connection.
        case resume
        /// Tell who wants to know.
        case report(PersistentConnection.State)
        /// It is over, for good.
        case end(ConnectionEnd)
    }

    private enum Phase {
        case idle
        case dialling
        case asking(until: UInt64)
        case established(since: UInt64)
        case waiting(until: UInt64)
        case over
    }

    /// A connection that stayed for so long was a good one.
    static let stableTime: UInt64 = 10_000_000_000

    private let names: [String]
    private let backOff: BackOff
    private let answerTimeout: UInt64
    private var phase = Phase.idle
    private var token: String?
    private var graceTime = 0
    private var graceEnd = UInt64.max
    private var lastReason = ""
    /// The address that has the session.
    private var home = 0
    /// The address that is dialled, or asked.
    private var current = 0
    /// Where in the rounds of attempts it is.
    private var position = 0
    /// The attempts since the loss.
    private var attempts = 0
    private var strangers: Set<Int> = []
    private var askedAt: UInt64 = 0

    /// From asking to the answer, the last time.
    private(set) var roundTripTime: UInt64?
    /// How often the session has gone on over another connection.
    private(set) var reconnections = 0

    /// - Parameter names: The addresses, for people; at least one.
    init(names: [String], options: ReconnectionOptions) {
        self.names = names
        backOff = options.backOff
        answerTimeout = options.answerTimeout.sessionTime
    }

    /// When ``advance(to:chance:)`` has to be called; `UInt64.max` for not at all.
    var nextDeadline: UInt64 {
        switch phase {
        case .idle, .over, .established: .max
        case .dialling: graceEnd
        case .asking(let until), .waiting(let until): min(until, graceEnd)
        }
    }

    /// Whether a session has been opened.
    var hasSession: Bool { token != nil }

    // MARK: What happens

    /// Begins.
    mutating func start() -> [Action] {
        guard case .idle = phase else { return [] }
        phase = .dialling
        return [.dial(0)]
    }

    /// What was dialled is there.
    mutating func connected(at now: UInt64) -> [Action] {
        guard case .dialling = phase else { return [.hangUp] }
        phase = .asking(until: now.later(by: answerTimeout))
        askedAt = now
        return [.send(.connect(token: token))]
    }

    /// What was dialled could not be reached, or the connection was lost.
    ///
    /// - Parameters:
    ///   - end: What is wrong.
    ///   - hasProgressed: Whether the connection has carried something new.
    ///   - now: The time.
    ///   - chance: A number from 0 to 1.
    mutating func lost(
        _ end: ConnectionEnd,
        hasProgressed: Bool = false,
        at now: UInt64,
        chance: Double
    ) -> [Action] {
        switch phase {
        case .idle, .waiting, .over: return []
        case .established(let since):
            attempts = 0
            strangers = []
            if hasProgressed || now >= since.later(by: Self.stableTime) {
                position = 0
            }
            graceEnd = now.later(by: UInt64(graceTime) * 1_000_000_000)
            return next(because: end, at: now, chance: chance)
        case .dialling, .asking:
            return failed(end, at: now, chance: chance)
        }
    }

    /// The server says something.
    mutating func received(_ control: SessionControl, at now: UInt64, chance: Double) -> [Action] {
        switch (control, phase) {
        case (.ok(let token, let graceTime), .asking):
            return accepted(token, graceTime, at: now)
        case (.error(let code, let reason), .asking):
            let end = Self.end(code, reason, from: names[current])
            guard hasSession else {
                return [.hangUp] + (Self.isTemporary(code) ? failed(end, at: now, chance: chance) : over(end))
            }
            if Self.isPermanent(code, fromHome: current == home) {
                return [.hangUp] + over(end)
            }
            if !Self.isTemporary(code) { strangers.insert(current) }
            return [.hangUp] + failed(end, at: now, chance: chance)
        case (.error(let code, let reason), .established):
            return [.hangUp] + over(Self.end(code, reason, from: names[current]))
        case (.goAway(let reason), .established):
            return [.report(.goingAway(reason: reason))]
        default:
            // Neither asked for nor harmful.
            return []
        }
    }

    /// Time has passed.
    mutating func advance(to now: UInt64, chance: Double) -> [Action] {
        let deadline = nextDeadline
        guard deadline < .max, deadline <= now else { return [] }
        if graceEnd <= now {
            return [.hangUp] + over(graceIsOver)
        }
        switch phase {
        case .waiting:
            return dial()
        case .asking:
            let seconds = Double(answerTimeout / 1_000_000) / 1_000
            let hint = hasSession ? "" : "; does it speak the persistent protocol?"
            let end = ConnectionEnd(.lost, "\(names[current]): no answer to 'connect' within \(seconds) s\(hint)")
            return [.hangUp] + failed(end, at: now, chance: chance)
        default:
            return []
        }
    }

    /// It is over, whoever says so.
    mutating func stop() {
        phase = .over
    }

    // MARK: What follows

    private mutating func accepted(_ token: String, _ graceTime: Int, at now: UInt64) -> [Action] {
        let isNew = !hasSession
        self.token = token
        self.graceTime = graceTime
        graceEnd = .max
        home = current
        roundTripTime = now - askedAt
        phase = .established(since: now)
        guard !isNew else { return [.open, .report(.connected)] }
        reconnections += 1
        // What is waited for after the next loss, should this connection be of no use.
        position += 1
        return [.resume, .report(.reconnected(attempts: attempts))]
    }

    private mutating func failed(_ end: ConnectionEnd, at now: UInt64, chance: Double) -> [Action] {
        guard !hasSession else {
            position += 1
            return next(because: end, at: now, chance: chance)
        }
        current += 1
        guard current < names.count else { return over(end) }
        phase = .dialling
        return [.dial(current)]
    }

    private mutating func next(because end: ConnectionEnd, at now: UInt64, chance: Double) -> [Action] {
        lastReason = end.reason
        guard now < graceEnd else { return over(graceIsOver) }
        while strangers.contains((home + position) % names.count) { position += 1 }
        let startsRound = position % names.count == 0
        let round = position / names.count
        let wait = startsRound ? backOff.wait(beforeRound: round, chance: chance) : .zero
        attempts += 1
        let state = PersistentConnection.State.reconnecting(
            attempt: attempts,
            nextAttemptIn: wait,
            reason: end.reason
        )
        guard wait > .zero else { return [.report(state)] + dial() }
        phase = .waiting(until: now.later(by: wait.sessionTime))
        return [.report(state)]
    }

    private mutating func dial() -> [Action] {
        phase = .dialling
        current = (home + position) % names.count
        return [.dial(current)]
    }

    private mutating func over(_ end: ConnectionEnd) -> [Action] {
        phase = .over
        return [.end(end)]
    }

    private var graceIsOver: ConnectionEnd {
        ConnectionEnd(.lost, "no connection for \(graceTime) s, for which the server keeps the session: \(lastReason)")
    }
}
