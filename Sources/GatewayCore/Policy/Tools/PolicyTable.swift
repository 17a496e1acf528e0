// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A table of expectations: what named identities may do under a configuration (docs/policy.md).
public struct PolicyTable: Sendable {
    /// Where an identity comes from.
    public enum Source: Sendable, Hashable {
        /// Made up of certificate fields, or of what the kernel would say of a local client.
        case fields(PeerIdentity)
        /// A certificate's file, as it is written in the table.
        case certificate(String)
    }

    /// An identity of the table.
    public struct Identity: Sendable {
        /// What the table calls it.
        public var name: String
        /// Where it comes from.
        public var source: Source
        /// The line in the table.
        public var line: Int
    }

    /// One line of the table.
    public struct Expectation: Sendable {
        /// What should come of it.
        public enum Outcome: Sendable, Hashable {
            /// The request is allowed, or denied.
            case decided(isAllowed: Bool)
            /// The client is refused, with this reason.
            case refused(String)
            /// The client is accepted.
            case accepted
        }

        /// Who asks.
        public var identity: Identity
        /// What it announces, if that is said.
        public var announced: IPCValue?
        /// Requests, each of which is judged; none when only the client is.
        public var questions: [PolicyQuestion]
        /// What should come of each.
        public var outcome: Outcome
        /// The name of the rule that should decide, or its place, or a place that it is in.
        public var rule: String?
        /// The context that the client should get.
        public var context: IPCValue?
        /// The line in the table.
        public var line: Int

        /// How many results are expected.
        public var count: Int { max(1, questions.count) }
    }

    /// The file, for messages.
    public var file: String
    /// The configuration's file, as it is written in the table.
    public var configuration: String
    /// The line that names the configuration.
    public var configurationLine: Int
    /// Whether the shadow policy is tested.
    public var kind: PolicyView.Kind
    /// The expectations, in the order of the file.
    public var expectations: [Expectation]
    /// The files of certificates, and the first line that needs each.
    public var certificates: [(path: String, line: Int)] {
        var found: [(path: String, line: Int)] = []
        for expectation in expectations {
            guard case .certificate(let path) = expectation.identity.source else { continue }
            if !found.contains(where: { $0.path.utf8.elementsEqual(path.utf8) }) {
                found.append((path, expectation.identity.line))
            }
        }
        return found
    }

    /// Reads a table.
    ///
    /// - Parameters:
    ///   - yaml: The whole file.
    ///   - file: Its name, for messages.
    /// - Throws: Every problem of the file at once.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        var decoder = PolicyTableDecoder(file: file)
        self = try decoder.decode(yaml)
    }

    init(
        file: String,
        configuration: String,
        configurationLine: Int,
        kind: PolicyView.Kind,
        expectations: [Expectation]
    ) {
        self.file = file
        self.configuration = configuration
        self.configurationLine = configurationLine
        self.kind = kind
        self.expectations = expectations
    }
}
