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
/// - A refusal by the address that has the session is for good, whatever its code; only when it does not know the session,
///   and nothing was ever acknowledged or received in it, another session takes its place unnoticed. Another address may, of a session that is
///   not its own, say what is wrong without ending it, see ``isPermanent(_:fromHome:)``; unless it means "not now", it is not
///   asked again during this loss.
/// - A session that somebody else has taken over is lost for good, unless that may have been a connection of this side that
///   was given up: then it is taken back, once.
/// - All that ends when the grace time is over that the server has told, counted from the loss.
struct SessionKeeper: Sendable {
    enum Phase {
        case idle
        case dialling
        case asking(until: UInt64)
        case established(since: UInt64)
        case waiting(until: UInt64)
        case over
    }

    /// A connection that stayed for so long was a good one.
    static let stableTime: UInt64 = 10_000_000_000
    /// One that did not even stay for so long was not, whatever it has carried.
    static let shortTime: UInt64 = 1_000_000_000
    /// A `connect` on a connection that was given up may arrive so late.
    static let lateTime: UInt64 = 60_000_000_000

    let names: [String]
    private let backOff: BackOff
    private let answerTimeout: UInt64
    var phase = Phase.idle
    private var token: String?
    private var graceTime = 0
    private var graceEnd = UInt64.max
    private var lastReason = ""
    /// The address that has the session.
    var home = 0
    /// The address that is dialled, or asked.
    var current = 0
    /// Where in the rounds of attempts it is.
    var position = 0
    /// The attempts since the loss.
    private var attempts = 0
    var strangers: Set<Int> = []
    private var askedAt: UInt64 = 0
    /// When somebody else had the session last.
    var takenOverAt: UInt64?
    /// Whether the server of this connection wants to be left, which it may say only once.
    var isAskedToGo = false

    /// Whether the server does not know the session, to which nothing has ever come: a new one takes its place.
    var beginsAnew = false

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
        isAskedToGo = false
        return [.send(.connect(token: beginsAnew ? nil : token))]
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
            if hasProgressed || now >= since.later(by: Self.stableTime) {
                // Who cuts each connection behind its first message must not keep this side busy with handshakes.
                let isCutAgain = position > 0 && now < since.later(by: Self.shortTime)
                position = isCutAgain ? names.count : 0
            }
            beginLoss(at: now)
            return next(because: end, at: now, chance: chance)
        case .dialling, .asking:
            return failed(end, at: now, chance: chance)
        }
    }

    /// Time has passed.
    mutating func advance(to now: UInt64, chance: Double) -> [Action] {
        let deadline = nextDeadline
        guard deadline < .max, deadline <= now else { return [] }
        // What was asked and not answered must not arrive later, when another connection has the session.
        let leaving: Action = if case .asking = phase { .abort } else { .hangUp }
        if graceEnd <= now {
            return [leaving] + over(graceIsOver)
        }
        switch phase {
        case .waiting:
            return dial()
        case .asking:
            let seconds = Double(answerTimeout / 1_000_000) / 1_000
            let hint = hasSession ? "" : "; does it speak the persistent protocol?"
            let end = ConnectionEnd(.lost, "\(names[current]): no answer to 'connect' within \(seconds) s\(hint)")
            return [leaving] + failed(end, at: now, chance: chance)
        default:
            return []
        }
    }

    /// It is over, whoever says so.
    mutating func stop() {
        phase = .over
    }

    // MARK: What follows

    mutating func beginLoss(at now: UInt64) {
        attempts = 0
        strangers = []
        graceEnd = now.later(by: UInt64(graceTime) * 1_000_000_000)
    }

    mutating func accepted(_ token: String, _ graceTime: Int, at now: UInt64) -> [Action] {
        let isNew = !hasSession
        let isAnew = beginsAnew
        beginsAnew = false
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
        return [isAnew ? .open : .resume, .report(.reconnected(attempts: attempts))]
    }

    mutating func failed(_ end: ConnectionEnd, at now: UInt64, chance: Double) -> [Action] {
        guard !hasSession else {
            position += 1
            return next(because: end, at: now, chance: chance)
        }
        current += 1
        guard current < names.count else { return over(end) }
        phase = .dialling
        return [.dial(current)]
    }

    mutating func next(because end: ConnectionEnd, at now: UInt64, chance: Double) -> [Action] {
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

    mutating func over(_ end: ConnectionEnd) -> [Action] {
        phase = .over
        return [.end(end)]
    }

    private var graceIsOver: ConnectionEnd {
        ConnectionEnd(.lost, "no connection for \(graceTime) s, for which the server keeps the session: \(lastReason)")
    }
}
