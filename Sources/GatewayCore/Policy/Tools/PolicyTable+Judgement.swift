// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

extension PolicyTable {
    /// An expectation that is not met.
    public struct Failure: Sendable, CustomStringConvertible {
        /// `file:line: who what: expected …, but …`, in one line.
        public let description: String
    }

    /// Holds all expectations against a policy.
    ///
    /// - Parameters:
    ///   - view: The policy.
    ///   - certificates: The identities of the files in `certificates`.
    /// - Returns: What is not as expected, in the order of the file.
    public func failures(_ view: PolicyView, certificates: [String: CertificateIdentity]) -> [Failure] {
        expectations.flatMap { expectation -> [Failure] in
            let identity: PeerIdentity
            switch expectation.identity.source {
            case .fields(let fields): identity = fields
            case .certificate(let path): identity = .certificate(certificates[path] ?? CertificateIdentity())
            }
            func failure(_ what: String, _ message: String) -> Failure {
                let who = LogText.quoted(expectation.identity.name)
                return Failure(description: "\(file):\(expectation.line): \(who)\(what): \(message)")
            }
            let finding = view.finding(of: identity, announced: expectation.announced)
            if let refusal = finding.refusal {
                return Self.judge(expectation, refusal: refusal).map { [failure("", $0)] } ?? []
            }
            guard let subject = finding.subject else { return [] }
            if let message = Self.judge(expectation, subject, view) { return [failure("", message)] }
            return expectation.questions.compactMap { question in
                Self.judge(expectation, view.explanation(of: question, for: subject), view)
                    .map { failure(" \(question)", $0) }
            }
        }
    }

    private static func judge(_ expectation: Expectation, refusal: CloseReason) -> String? {
        switch expectation.outcome {
        case .refused(let code) where code == refusal.code.rawValue: nil
        case .refused(let code): "expected to be refused as \(code), but it is refused as \(refusal)"
        case .accepted: "expected to be accepted, but it is refused as \(refusal)"
        case .decided(let isAllowed):
            "expected \(isAllowed ? "allowed" : "denied"), but the client is refused as \(refusal)"
        }
    }

    private static func judge(_ expectation: Expectation, _ subject: PolicyView.Subject, _ view: PolicyView) -> String?
    {
        let entry = view.named(subject.place, line: subject.client.line)
        if case .refused(let code) = expectation.outcome {
            return "expected to be refused as \(code), but it is accepted by \(entry)"
        }
        guard let wanted = expectation.context else { return nil }
        guard let context = try? view.context(of: subject, announced: expectation.announced) else {
            return "expected a context, but by \(entry) the client announces it; say what, with announce:"
        }
        guard context != wanted else { return nil }
        return "expected the context \(ContextText.line(wanted)), but \(entry) gives \(ContextText.line(context))"
    }

    private static func judge(
        _ expectation: Expectation,
        _ explanation: PolicyExplanation,
        _ view: PolicyView
    ) -> String? {
        guard case .decided(let isAllowed) = expectation.outcome else { return nil }
        let verdict = explanation.isAllowed ? "allowed" : "denied"
        let found = "it is \(verdict) \(reason(explanation, view))"
        if explanation.isAllowed != isAllowed { return "expected \(isAllowed ? "allowed" : "denied"), but \(found)" }
        guard let wanted = expectation.rule, !matches(explanation.rule, wanted) else { return nil }
        return "expected \(isAllowed ? "allowed" : "denied") by '\(LogText.quoted(wanted))', but \(found)"
    }

    private static func reason(_ explanation: PolicyExplanation, _ view: PolicyView) -> String {
        if let rule = explanation.rule { return "by \(view.named(rule))" }
        guard let miss = explanation.misses.first else { return "because no rule allows it" }
        return "because no rule allows it; nearest: \(view.named(miss.rule)): \(miss.description)"
    }

    /// Whether a rule has a name, or a place, or is in a place such as `roles.reader`.
    private static func matches(_ rule: AccessPolicy.Rule?, _ wanted: String) -> Bool {
        guard let rule else { return false }
        if let name = rule.name, name.utf8.elementsEqual(wanted.utf8) { return true }
        let place = Array(rule.place.utf8)
        guard place.starts(with: wanted.utf8) else { return false }
        let next = place.dropFirst(wanted.utf8.count).first
        return next == nil || next == UInt8(ascii: ".") || next == UInt8(ascii: "[")
    }
}
