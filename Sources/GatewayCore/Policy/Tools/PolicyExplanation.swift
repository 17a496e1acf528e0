// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What a policy says to a request, and why.
public struct PolicyExplanation: Sendable {
    /// What was asked.
    public let question: PolicyQuestion
    /// Whether the request may pass.
    public let isAllowed: Bool
    /// The rule that decided; nil when no rule allows the request.
    public let rule: AccessPolicy.Rule?
    /// Of a rule that denies: its conditions that cannot be judged, for which reason it applies.
    public let undecided: [ConditionFinding]
    /// When no rule allows the request: rules that nearly do, the nearest first.
    public let misses: [NearMiss]
    /// Whether the request is denied for the length of its names, whatever the rules say.
    public let isTooLong: Bool

    /// Asks a policy.
    public init(_ question: PolicyQuestion, _ policy: AccessPolicy, limits: IPCLimits) {
        self.question = question
        let (channel, name) = (Array(question.channel.utf8), Array(question.name.utf8))
        let decision = policy.judge(
            question.request,
            question.direction,
            channel: channel.span,
            name: name.span,
            argument: question.argument.span,
            limits: limits
        )
        let rule = decision.rule.map { policy[$0] }
        isAllowed = decision.isAllowed
        self.rule = rule
        isTooLong = max(channel.count, name.count) > AccessPolicy.longestName
        let findings = ArgumentFindings(question.argument, limits: limits)
        undecided = decision.isAllowed ? [] : rule.map { findings.all(of: $0).filter(\.isUndecided) } ?? []
        misses = decision.isAllowed || rule != nil || isTooLong ? [] : NearMiss.all(of: question, policy, findings)
    }
}
