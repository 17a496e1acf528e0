// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol

extension ExplainedClient {
    /// For programs. Members may be added.
    var json: IPCValue {
        var members = Self.members(live)
        if let question {
            members["request"] = .object([
                "kind": question.request == .call ? "call" : "listen",
                "from": question.direction == .fromClient ? "client" : "server",
                "channel": IPCValue(question.channel),
                "name": IPCValue(question.name),
            ])
        }
        if let shadow { members["shadow"] = .object(Self.members(shadow)) }
        members["warnings"] = .array(warnings.map { IPCValue($0) })
        return .object(members)
    }

    private static func members(_ policy: ExplainedPolicy) -> IPCObject {
        var members = IPCObject()
        if let subject = policy.subject {
            members["identity"] = .object([
                "field": IPCValue(subject.resolution.field.rawValue),
                "value": IPCValue(subject.resolution.value),
            ])
            members["entry"] = .object(["place": IPCValue(subject.place), "line": IPCValue(subject.client.line)])
            if case .assigned = subject.resolution.grant {
                members["contextAssigned"] = true
            } else {
                members["contextAssigned"] = false
            }
            members["context"] = policy.context
        }
        if let refusal = policy.refusal {
            members["decision"] = "refused"
            members["reason"] = IPCValue(refusal.code.rawValue)
            members["detail"] = IPCValue(refusal.message)
        } else if let explanation = policy.explanation {
            members["decision"] = explanation.isAllowed ? "allowed" : "denied"
            members["rule"] = explanation.rule.map { .object(rule($0)) }
            if !explanation.undecided.isEmpty { members["undecided"] = .array(explanation.undecided.map(finding)) }
            if !explanation.misses.isEmpty { members["misses"] = .array(explanation.misses.map(miss)) }
        } else {
            members["rules"] = .array(policy.rules.map { .object(rule($0)) })
        }
        return members
    }

    private static func rule(_ rule: AccessPolicy.Rule) -> IPCObject {
        func texts(_ globs: [Glob]) -> IPCValue { .array(globs.map { IPCValue($0.description) }) }
        var members: IPCObject = [
            "place": IPCValue(rule.place),
            "effect": rule.effect == .allow ? "allow" : "deny",
            "from": rule.direction == .fromClient ? "client" : "server",
            "channel": IPCValue(rule.channel.description),
            "call": texts(rule.call),
            "listen": texts(rule.listen),
            "when": .array(RuleText.conditions(rule).map { IPCValue($0) }),
        ]
        members["line"] = rule.line.map { IPCValue($0) }
        members["name"] = rule.name.map { IPCValue($0) }
        return members
    }

    private static func finding(_ finding: ConditionFinding) -> IPCValue {
        .object([
            "path": IPCValue(finding.path),
            "test": IPCValue(finding.test),
            "result": finding.isUndecided ? "undecided" : "fails",
            "reason": IPCValue(finding.reason),
        ])
    }

    private static func miss(_ miss: NearMiss) -> IPCValue {
        var members = rule(miss.rule)
        members["reason"] = IPCValue(miss.description)
        if case .conditions(let findings) = miss.reason { members["conditions"] = .array(findings.map(finding)) }
        return .object(members)
    }
}
