// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A rule that allows something, but not what was asked.
public struct NearMiss: Sendable {
    /// Why a rule does not allow a request; the nearest first.
    public enum Reason: Sendable {
        /// Its conditions do not hold.
        case conditions([ConditionFinding])
        /// It is about the other direction.
        case direction
        /// It allows to listen, not to call; or the other way round.
        case request
        /// It is for the channel, but for other commands or events.
        case name
        /// It is for the command or event, but for another channel.
        case channel
    }

    /// The rule.
    public let rule: AccessPolicy.Rule
    /// Why it does not help.
    public let reason: Reason
    /// Whom it is about, in one line.
    public let description: String

    /// Smaller is nearer.
    private let distance: Int

    static func all(
        of question: PolicyQuestion,
        _ policy: AccessPolicy,
        _ findings: ArgumentFindings
    ) -> [NearMiss] {
        policy.rules.filter { $0.effect == .allow }.compactMap { NearMiss($0, question, findings) }
            .enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
            .map(\.element)
    }

    private init?(_ rule: AccessPolicy.Rule, _ question: PolicyQuestion, _ findings: ArgumentFindings) {
        let isOfChannel = rule.channel.matches(question.channel)
        func names(_ request: AccessPolicy.Request) -> Bool {
            rule.patterns(for: request).contains { $0.matches(question.name) }
        }
        let other: AccessPolicy.Request = question.request == .call ? .listen : .call
        let own = rule.patterns(for: question.request)
        let isOfDirection = rule.direction == question.direction
        self.rule = rule
        if isOfChannel, isOfDirection, names(question.request) {
            let failed = findings.all(of: rule)
            reason = .conditions(failed)
            description = "its conditions: " + failed.map(\.description).joined(separator: "; ")
            distance = 0
        } else if isOfChannel, names(question.request) {
            reason = .direction
            description = "it is for requests of the \(rule.direction == .fromClient ? "client" : "server")"
            distance = 1
        } else if isOfChannel, isOfDirection, names(other) {
            reason = .request
            description =
                other == .call ? "it allows to call that, not to listen" : "it allows to listen to that, not to call"
            distance = 2
        } else if isOfChannel, isOfDirection {
            let literals = own.compactMap(\.literal).map { String(decoding: $0, as: UTF8.self) }
            let near = Self.nearest(to: question.name, in: literals)
            reason = .name
            let allowed = RuleText.names(rule)
            description = "it allows \(allowed)" + (near.map { "; did you mean '\($0)'?" } ?? "")
            distance = near == nil ? 4 : 3
        } else if isOfDirection, own.contains(where: { !$0.isAny && $0.matches(question.name) }) {
            let channel = rule.channel.literal.map { String(decoding: $0, as: UTF8.self) }
            let near = Self.nearest(to: question.channel, in: channel.map { [$0] } ?? [])
            reason = .channel
            description = "it is for the channel \(rule.channel)" + (near.map { "; did you mean '\($0)'?" } ?? "")
            distance = near == nil ? 6 : 5
        } else {
            return nil
        }
    }

    /// What was meant, perhaps: of short words nearly all are near each other.
    private static func nearest(to word: String, in candidates: [String]) -> String? {
        let shortest = 4
        return Spelling.nearest(to: word, in: candidates).flatMap { near in
            min(word.count, near.count) >= shortest || word.lowercased() == near.lowercased() ? near : nil
        }
    }
}
