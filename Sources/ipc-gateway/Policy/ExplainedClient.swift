// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import IPCProtocol
internal import TLSEngine

/// What a configuration says of a client, live and shadow.
struct ExplainedClient {
    let configuration: GatewayConfiguration
    let question: PolicyQuestion?
    let live: ExplainedPolicy
    /// nil when there is no `shadow:` section, or when the live policy refuses the client.
    let shadow: ExplainedPolicy?
    /// What is not judged here, and might matter.
    let warnings: [String]

    init(
        _ identity: PeerIdentity,
        _ announced: IPCValue?,
        _ question: PolicyQuestion?,
        _ configuration: GatewayConfiguration
    ) {
        self.configuration = configuration
        self.question = question
        // Every configuration has a live policy.
        let live = PolicyView(configuration).map {
            ExplainedPolicy($0, identity, announced, question)
        }
        self.live = live ?? .none
        if let live, live.refusal == nil {
            shadow = PolicyView(configuration, .shadow).map {
                ExplainedPolicy($0, identity, announced, question)
            }
        } else {
            shadow = nil
        }
        if case .certificate(let certificate) = identity {
            warnings = Self.warnings(certificate, configuration)
        } else {
            warnings = []
        }
    }

    /// Whether the live policy allows what was asked.
    var isGood: Bool {
        live.refusal == nil && live.explanation?.isAllowed != false
    }

    private static func warnings(_ identity: CertificateIdentity, _ configuration: GatewayConfiguration) -> [String] {
        var warnings: [String] = []
        let now = Int64(time(nil))
        if now > identity.notAfter {
            warnings.append(
                "the certificate has expired, on \(UTCTime.format(identity.notAfter)): the gateway refuses it"
            )
        } else if now < identity.notBefore {
            let start = UTCTime.format(identity.notBefore)
            warnings.append("the certificate is not valid before \(start): until then the gateway refuses it")
        }
        let checksRevocation = configuration.listeners.contains { listener in
            if case .tcp(_, let tls) = listener.place { tls.crl != nil } else { false }
        }
        if checksRevocation {
            warnings.append("revocation lists (tls.crl) are not looked at here")
        }
        return warnings
    }
}

/// What one policy says of a client.
struct ExplainedPolicy {
    let view: PolicyView?
    /// Why the client is refused.
    let refusal: CloseReason?
    let subject: PolicyView.Subject?
    /// The context; nil when the client announces it, and has not said what.
    let context: IPCValue?
    let explanation: PolicyExplanation?

    static let none = ExplainedPolicy()

    private init() {
        (view, refusal, subject, context, explanation) = (nil, nil, nil, nil, nil)
    }

    init(_ view: PolicyView, _ identity: PeerIdentity, _ announced: IPCValue?, _ question: PolicyQuestion?) {
        self.view = view
        let finding = view.finding(of: identity, announced: announced)
        (subject, context, refusal) = (finding.subject, finding.context, finding.refusal)
        if finding.refusal == nil, let subject = finding.subject, let question {
            explanation = view.explanation(of: question, for: subject)
        } else {
            explanation = nil
        }
    }

    /// The rules of the client's entry and roles.
    var rules: [AccessPolicy.Rule] { subject?.client.policy.rules ?? [] }
}
