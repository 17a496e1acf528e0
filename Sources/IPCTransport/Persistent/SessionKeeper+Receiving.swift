// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

extension SessionKeeper {
    /// The server says something.
    ///
    /// - Parameters:
    ///   - control: What.
    ///   - isUnheard: Whether nothing has come in the session, and nothing that was sent in it was acknowledged.
    ///   - now: The time.
    ///   - chance: A number from 0 to 1.
    mutating func received(
        _ control: SessionControl,
        isUnheard: Bool = false,
        at now: UInt64,
        chance: Double
    ) -> [Action] {
        switch (control, phase) {
        case (.ok(let token, let graceTime), .asking):
            return accepted(token, graceTime, at: now)
        case (.error(let code, let reason), .asking):
            let end = Self.end(code, reason, from: names[current])
            guard hasSession, !beginsAnew else {
                return [.hangUp] + (Self.isTemporary(code) ? failed(end, at: now, chance: chance) : over(end))
            }
            if code == .unknownSession, current == home, isUnheard {
                beginsAnew = true
                strangers = []
                return [.hangUp] + failed(end, at: now, chance: chance)
            }
            if Self.isPermanent(code, fromHome: current == home) {
                return [.hangUp] + over(end)
            }
            if !Self.isTemporary(code) { strangers.insert(current) }
            return [.hangUp] + failed(end, at: now, chance: chance)
        case (.error(let code, let reason), .established(let since)):
            let end = Self.end(code, reason, from: names[current])
            guard code == .takenOver, isPerhapsOurs(since: since, at: now) else { return [.hangUp] + over(end) }
            takenOverAt = now
            // Not at once, and a round begins at a multiple.
            position = max(1, (position + names.count - 1) / names.count) * names.count
            beginLoss(at: now)
            return [.hangUp] + next(because: end, at: now, chance: chance)
        case (.goAway(let reason), .established):
            guard !isAskedToGo else { return [] }
            isAskedToGo = true
            return [.report(.goingAway(reason: reason))]
        default:
            // Neither asked for nor harmful.
            return []
        }
    }

    /// Whether the connection that has taken the session over may be one of our own, given up a while ago. Once it may.
    private func isPerhapsOurs(since: UInt64, at now: UInt64) -> Bool {
        guard reconnections > 0, now < since.later(by: Self.lateTime) else { return false }
        return takenOverAt.map { now >= $0.later(by: Self.lateTime) } ?? true
    }
}
