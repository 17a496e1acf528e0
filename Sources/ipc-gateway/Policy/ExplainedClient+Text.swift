// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPC
internal import IPCProtocol

extension ExplainedClient {
    /// How many near misses a person reads.
    private static let mostMisses = 5

    /// For a person, in lines.
    var text: String {
        var lines: [String] = []
        if let view = live.view { lines += Self.lines(live, view, question) }
        if let shadow, let view = shadow.view {
            lines += Self.shadowLines(shadow, view)
        }
        lines += warnings.map { "warning   \($0)" }
        return PrintableText.escaped(lines.joined(separator: "\n"), keeping: "\n")
    }

    private static func lines(_ policy: ExplainedPolicy, _ view: PolicyView, _ question: PolicyQuestion?) -> [String] {
        var lines: [String] = []
        if let subject = policy.subject {
            let resolution = subject.resolution
            lines.append("identity  \(resolution.field.rawValue) '\(resolution.value)'")
            lines.append("entry     \(view.named(subject.place, line: subject.client.line))")
            if policy.refusal == nil { lines.append("context   \(context(policy, subject))") }
        }
        if let refusal = policy.refusal { return lines + ["refused   \(refusal)"] }
        guard let explanation = policy.explanation else { return lines + rules(policy, view) }
        lines.append("request   \(explanation.question)")
        lines += decision(explanation, view)
        if explanation.isAllowed, let client = policy.subject?.client {
            lines.append("server    \(server(explanation.question, client, view))")
        }
        return lines
    }

    private static func context(_ policy: ExplainedPolicy, _ subject: PolicyView.Subject) -> String {
        switch subject.resolution.grant {
        case .assigned(let context): return "\(ContextText.line(context)), assigned"
        case .announced(let patterns):
            if let context = policy.context { return "\(ContextText.line(context)), announced" }
            let allowed = patterns.map { "'\($0)'" }.joined(separator: ", ")
            return "announced by the client, one of \(allowed); --announce judges one"
        case .announcedObject(let members):
            if let context = policy.context { return "\(ContextText.line(context)), announced" }
            let allowed = members.map { member in
                "\(member.key): " + member.value.map { "'\($0)'" }.joined(separator: " or ")
            }
            return "announced by the client, { \(allowed.joined(separator: ", ")) }; --announce-json judges one"
        }
    }

    /// Where a request that is allowed goes, or comes from.
    private static func server(
        _ question: PolicyQuestion,
        _ client: GatewayConfiguration.Client,
        _ view: PolicyView
    ) -> String {
        let route = view.configuration.route(of: client)
        guard question.direction == .fromClient else { return route.upstreams.map(\.name).joined(separator: ", ") }
        return route.upstream(for: question.channel) ?? "none has this channel; the call is answered with an error"
    }

    private static func decision(_ explanation: PolicyExplanation, _ view: PolicyView) -> [String] {
        let verdict = explanation.isAllowed ? "allowed" : "denied"
        if let rule = explanation.rule {
            return ["decision  \(verdict) by \(view.named(rule))", "          \(RuleText.line(rule))"]
                + explanation.undecided.map { "          \($0)" }
        }
        if explanation.isTooLong { return ["decision  denied: its names have more than 4096 bytes"] }
        var lines = ["decision  denied: no rule allows it"]
        for miss in explanation.misses.prefix(mostMisses) {
            lines.append("near      \(view.named(miss.rule)): \(miss.description)")
        }
        let more = explanation.misses.count - mostMisses
        if more > 0 { lines.append("          and \(more) more") }
        return lines
    }

    private static func rules(_ policy: ExplainedPolicy, _ view: PolicyView) -> [String] {
        guard !policy.rules.isEmpty else { return ["rules     none: everything is denied"] }
        return policy.rules.enumerated().map { index, rule in
            (index == 0 ? "rules     " : "          ") + "\(RuleText.line(rule)) -- \(view.named(rule))"
        }
    }

    private static func shadowLines(_ policy: ExplainedPolicy, _ view: PolicyView) -> [String] {
        if let refusal = policy.refusal { return ["shadow    denies everything: \(refusal)"] }
        guard let explanation = policy.explanation else {
            guard let subject = policy.subject else { return [] }
            return ["shadow    \(view.named(subject.place, line: subject.client.line))"]
                + rules(policy, view).map { $0.replacingPrefix("rules ", with: "      ") }
        }
        return decision(explanation, view).map { $0.replacingPrefix("decision", with: "shadow  ") }
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
