// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A test of a condition that does not hold, and why.
public struct ConditionFinding: Sendable, CustomStringConvertible {
    /// The place in the argument.
    public let path: String
    /// The test as it is configured, such as `max: 10`.
    public let test: String
    /// Whether nothing certain can be said, see docs/policy.md; otherwise the test fails.
    public let isUndecided: Bool
    /// What was found, or why it cannot be judged.
    public let reason: String

    /// In one line.
    public var description: String {
        "\(path) \(test) \(isUndecided ? "cannot be judged" : "fails"): \(reason)"
    }
}

/// Says why conditions do not hold of an argument.
struct ArgumentFindings {
    private let argument: [UInt8]
    private let limits: IPCLimits
    /// The argument as a lenient server would read it; nil when it is not one value.
    private let decoded: IPCValue?

    init(_ argument: [UInt8], limits: IPCLimits) {
        self.argument = argument
        self.limits = limits
        decoded = try? ValueDecoder(mode: .strict, limits: limits).decode(argument.span)
    }

    /// All tests of a rule that do not hold.
    func all(of rule: AccessPolicy.Rule) -> [ConditionFinding] {
        var reader = ArgumentReader(limits: limits)
        var findings: [ConditionFinding] = []
        for condition in rule.conditions {
            let part = reader.part(at: condition.path, of: argument.span)
            for test in condition.tests {
                let judgement = test.judge(part)
                guard judgement != .holds else { continue }
                let isUndecided = judgement == .undecided
                findings.append(
                    ConditionFinding(
                        path: condition.path.description,
                        test: RuleText.text(of: test),
                        isUndecided: isUndecided,
                        reason: isUndecided ? reason(test, part, condition.path) : "it \(Self.text(of: part))"
                    )
                )
            }
        }
        return findings
    }

    private func reason(_ test: ArgumentTest, _ part: ArgumentPart, _ path: ArgumentPath) -> String {
        switch (part, test) {
        case (.undecided, _):
            return reason(path)
        case (.text, .below):
            return "it \(Self.text(of: part)), which is relative, holds a NUL or is too long"
        case (.object(let object), .below):
            guard object["$mid"] == 1 else { return "it is an object without the mark of a URI ($mid: 1)" }
            return "it is a URI whose members disagree, or whose path is relative or too long"
        default:
            return "it \(Self.text(of: part)), a kind of value that the test is not about"
        }
    }

    /// Why nothing can be said about a place.
    private func reason(_ path: ArgumentPath) -> String {
        let ambiguous = "the JSON there holds a key twice or '__proto__', or has more than 1 MiB"
        guard var value = decoded else { return "the argument is not one value of the encoding" }
        for step in path.steps {
            switch (step, value) {
            case (.element(let number), .array(let elements)):
                guard elements.indices.contains(number) else { return ambiguous }
                value = elements[number]
            case (.member(let name), .object(let object)):
                guard URIMembers.isConsistent(object, for: name) else {
                    return "it is a member of a URI whose members disagree"
                }
                guard let member = object[name] else { return ambiguous }
                value = member
            case (.element(let number), _):
                return "[\(number)] is asked of what is not an array"
            case (.member(let name), _):
                return "'\(LogText.quoted(name.description))' is asked of what is not an object"
            }
        }
        return ambiguous
    }

    private static func text(of part: ArgumentPart) -> String {
        switch part {
        case .missing: "is not there"
        case .null: "is null"
        case .bool(let bool): "is \(bool)"
        case .number(let number): "is \(RuleText.text(of: number))"
        case .text(let text): "is the text '\(LogText.quoted(String(decoding: text, as: UTF8.self)))'"
        case .object: "is an object"
        case .other: "is an array or a buffer"
        case .undecided: "cannot be told"
        }
    }
}
