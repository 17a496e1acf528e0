// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Yams

extension GatewayConfiguration {
    /// Decodes the text of a configuration file.
    ///
    /// - Parameters:
    ///   - yaml: The whole file.
    ///   - file: Its name, for messages and for `resolve(_:)`.
    /// - Throws: Every problem of the file at once; only a YAML syntax error hides what follows it.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw ConfigurationError(problems: [Self.syntaxProblem(error, file)])
        }
        guard let root else {
            let message = "is empty; it needs at least listeners and upstreams (docs/configuration.md)"
            throw ConfigurationError(problems: [ConfigurationProblem(file: file, message: message)])
        }
        var decoder = ConfigurationDecoder(file: file)
        guard let configuration = decoder.decode(root) else {
            let problems = decoder.reader.problems.sorted {
                ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0)
            }
            throw ConfigurationError(problems: problems)
        }
        self = configuration
    }

    static func syntaxProblem(_ error: any Error, _ file: String) -> ConfigurationProblem {
        var problem = ConfigurationProblem(file: file, message: "is not YAML: \(error)")
        switch error as? YamlError {
        case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _),
            .composer(let context, let text, let mark, _):
            problem.line = mark.line
            problem.column = mark.column
            problem.message =
                "is not YAML: " + ([context?.description, text].compactMap(\.self)).joined(separator: " ")
        case .duplicatedKeysInMapping(let duplicates, let context):
            problem.line = context.mark.line
            problem.column = context.mark.column
            let keys = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            problem.message = "a mapping holds the key \(keys) more than once; keep one"
        case .reader(let text, _, let value, let yaml):
            // The parser names only the first character that it does not take. Its line is not shown: terminals obey it.
            let lines = yaml.unicodeScalars.prefix { Int64($0.value) != Int64(value) }
                .split(separator: "\n", omittingEmptySubsequences: false)
            problem.line = lines.count
            problem.column = (lines.last?.count ?? 0) + 1
            problem.message = "is not YAML: \(text) (U+\(String(value, radix: 16, uppercase: true)))"
        default:
            break
        }
        return problem
    }
}

/// Turns the document's nodes into a configuration, section by section.
struct ConfigurationDecoder {
    var reader: ConfigurationReader
    /// The names of rules so far, and the line of each.
    var ruleNames: [[UInt8]: Int] = [:]

    init(file: String) {
        reader = ConfigurationReader(file: file)
    }

    /// The configuration, or nil when `reader.problems` says why there is none.
    mutating func decode(_ root: Node) -> GatewayConfiguration? {
        let known = [
            "listeners", "upstreams", "identity", "roles", "clients", "shadow", "answers", "limits", "timeouts",
            "sessions", "peers", "audit", "admin", "reload", "threads", "sandbox", "user", "group",
        ]
        guard let document = reader.section(root, "", known: known) else { return nil }
        let listeners = decodeListeners(document)
        let upstreams = decodeUpstreams(document)
        let identity = decodeIdentity(document)
        let fields = identity.fields + IdentityField.ofLocalClients
        let limits = decodeLimits(document)
        let clients = decodeClients(document, upstreams: upstreams, fields: fields, limits: limits.client)
        let shadow = decodeShadow(document, upstreams: upstreams, fields: fields, limits: limits.client)
        warnOfUnreachable(clients, listeners)
        let answers = decodeAnswers(document)
        let timeouts = decodeTimeouts(document)
        let sessions = decodeSessions(document)
        let peers = decodePeers(document, listeners)
        let audit = decodeAudit(document)
        let admin = decodeAdmin(document)
        let reload = decodeReload(document)
        let threads = document.members["threads"].flatMap { reader.integer($0, "threads", in: 1...1024) }
        let sandbox = decodeSandbox(document)
        let user = optionalText(document, "user", "the name or number of a user")
        let group = optionalText(document, "group", "the name or number of a group")
        guard reader.problems.isEmpty else { return nil }
        return GatewayConfiguration(
            file: reader.file,
            listeners: listeners,
            upstreams: upstreams,
            identityFields: fields,
            denyList: identity.denyList,
            clients: clients,
            answers: answers,
            shadow: shadow,
            limits: limits,
            timeouts: timeouts,
            sessions: sessions,
            peers: peers,
            audit: audit,
            admin: admin,
            reload: reload,
            threads: threads,
            sandbox: sandbox,
            user: user,
            group: group,
            warnings: reader.warnings
        )
    }

    // MARK: Texts

    mutating func requiredText(
        _ section: ConfigurationReader.Section,
        _ key: String,
        _ what: String
    ) -> String? {
        reader.required(section, key, what).flatMap { reader.plainText($0, section.path(of: key), what) }
    }

    mutating func optionalText(
        _ section: ConfigurationReader.Section,
        _ key: String,
        _ what: String
    ) -> String? {
        section.members[key].flatMap { reader.plainText($0, section.path(of: key), what) }
    }

    mutating func optionalTexts(
        _ section: ConfigurationReader.Section,
        _ key: String,
        _ what: String
    ) -> [String]? {
        guard let node = section.members[key] else { return nil }
        let texts = reader.texts(node, section.path(of: key), of: what)
        if texts?.isEmpty == true {
            reader.report(node, section.path(of: key), "is empty; leave it out for the default")
        }
        return texts
    }
}
