// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// One of the policies of a configuration, live or shadow, judged without a connection.
public struct PolicyView: Sendable {
    /// Which policy.
    public enum Kind: Sendable, Hashable {
        /// `clients:`, which decides.
        case live
        /// `shadow:`, which decides nothing.
        case shadow
    }

    /// Whom a certificate names, and what they may do.
    public struct Subject: Sendable {
        /// The field and value that decided, and the context.
        public var resolution: IdentityMap.Resolution
        /// The entry.
        public var client: GatewayConfiguration.Client
        /// Where the entry is, such as `clients[0]`.
        public var place: String
    }

    /// The configuration.
    public let configuration: GatewayConfiguration
    /// Which of its policies this is.
    public let kind: Kind

    /// What a policy says of a client.
    public struct Finding: Sendable {
        /// Whose entry it is; nil when no entry, or more than one, is the client's.
        public var subject: Subject?
        /// The context; nil when the client announces it and that is not known.
        public var context: IPCValue?
        /// Why the client is refused, or, by a shadow policy, denied everything.
        public var refusal: CloseReason?
    }

    private let clients: [GatewayConfiguration.Client]
    private let identityMap: IdentityMap

    /// Makes a view; nil when the configuration has no such policy.
    public init?(_ configuration: GatewayConfiguration, _ kind: Kind = .live) {
        self.configuration = configuration
        self.kind = kind
        switch kind {
        case .live:
            clients = configuration.clients
            identityMap = IdentityMap(fields: configuration.identityFields, clients: clients)
        case .shadow:
            guard let shadow = configuration.shadow else { return nil }
            clients = shadow.clients
            identityMap = shadow.identityMap
        }
    }

    /// Whom a certificate, or what the kernel says of a local client, names.
    ///
    /// - Parameter identity: Of a certificate neither issuer nor period nor revocation is looked at.
    /// - Throws: Why the gateway refuses it: on the deny list, unknown or ambiguous.
    public func subject(of identity: PeerIdentity) throws(CloseReason) -> Subject {
        try configuration.denyList.check(identity)
        let resolution = try identityMap.resolve(identity)
        let prefix = kind == .live ? "" : "shadow."
        return Subject(
            resolution: resolution,
            client: clients[resolution.entry],
            place: "\(prefix)clients[\(resolution.entry)]"
        )
    }

    /// The context of a client.
    ///
    /// - Parameter announced: What it announces; nil when that is not known.
    /// - Returns: nil when the client has to announce its context, and that is not known.
    /// - Throws: Why it may not announce it.
    public func context(of subject: Subject, announced: IPCValue?) throws(CloseReason) -> IPCValue? {
        if case .assigned(let context) = subject.resolution.grant { return context }
        guard let announced else { return nil }
        return try subject.resolution.grant.context(
            announced: ValueEncoder.encode(announced).span,
            limits: configuration.limits.wire
        )
    }

    /// Everything about a client, as the gateway judges it: a shadow policy beside the live one.
    ///
    /// - Parameters:
    ///   - identity: What proves who the client is; see ``subject(of:)``.
    ///   - announced: The context that it announces; nil when that is not known.
    /// - Returns: Of a shadow policy the live one's refusal where that refuses the client, and a refusal where it gives
    ///   another context than the live one.
    public func finding(of identity: PeerIdentity, announced: IPCValue?) -> Finding {
        var finding = Finding()
        do throws(CloseReason) {
            var live: IPCValue?
            if kind == .shadow, let view = PolicyView(configuration) {
                let found = view.finding(of: identity, announced: announced)
                if let refusal = found.refusal { throw refusal }
                live = found.context
            }
            let subject = try subject(of: identity)
            finding.subject = subject
            finding.context = try context(of: subject, announced: announced)
            if let live, let context = finding.context, live != context {
                let message = "it gives the context \(ContextText.line(context)), another than the live one"
                throw CloseReason(.contextNotAllowed, message)
            }
        } catch {
            finding.refusal = error
        }
        return finding
    }

    /// Judges a request of a client, or of its server.
    public func explanation(of question: PolicyQuestion, for subject: Subject) -> PolicyExplanation {
        PolicyExplanation(question, subject.client.policy, limits: configuration.limits.wire)
    }

    /// A place with its line, for a person: `clients[0].allow[1] (gateway.yaml:14)`.
    public func named(_ place: String, line: Int?) -> String {
        line.map { "\(place) (\(configuration.file):\($0))" } ?? place
    }

    /// A rule's place, line and name, for a person.
    public func named(_ rule: AccessPolicy.Rule) -> String {
        named(rule.place, line: rule.line) + (rule.name.map { " '\($0)'" } ?? "")
    }
}
