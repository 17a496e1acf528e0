// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Yams

/// Reads a table of expectations, as strictly as a configuration.
struct PolicyTableDecoder {
    var decoder: ConfigurationDecoder
    /// The identities of `as:`.
    var identities: [PolicyTable.Identity] = []

    init(file: String) {
        decoder = ConfigurationDecoder(file: file)
    }

    mutating func decode(_ yaml: String) throws(ConfigurationError) -> PolicyTable {
        let file = decoder.reader.file
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw ConfigurationError(problems: [GatewayConfiguration.syntaxProblem(error, file)])
        }
        guard let root else {
            let message = "is empty; it needs config:, as: and expect: (docs/policy.md)"
            throw ConfigurationError(problems: [ConfigurationProblem(file: file, message: message)])
        }
        let table = decode(root)
        let problems = decoder.reader.problems
        guard problems.isEmpty, let table else {
            throw ConfigurationError(
                problems: problems.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
            )
        }
        return table
    }

    private mutating func decode(_ root: Node) -> PolicyTable? {
        guard let document = decoder.reader.section(root, "", known: ["config", "shadow", "as", "expect"]) else {
            return nil
        }
        let configuration = decoder.requiredText(document, "config", "the configuration's file, relative to this one")
        let isShadow = document.members["shadow"].flatMap { decoder.reader.boolean($0, "shadow") } ?? false
        if let node = document.members["as"] { decodeIdentities(node) }
        let what = "expectations, as in  - { as: alice, call: storage.get, allow: true }"
        guard let node = decoder.reader.required(document, "expect", what),
            let items = decoder.reader.list(node, "expect", of: what)
        else { return nil }
        if items.isEmpty { decoder.reader.report(node, "expect", "is empty; \(what)") }
        var expectations: [PolicyTable.Expectation] = []
        for item in items {
            if let expectation = decodeExpectation(item.node, item.path) { expectations.append(expectation) }
        }
        guard let configuration else { return nil }
        return PolicyTable(
            file: decoder.reader.file,
            configuration: configuration,
            configurationLine: document.members["config"]?.mark?.line ?? 0,
            kind: isShadow ? .shadow : .live,
            expectations: expectations
        )
    }

    // MARK: Expectations

    private static let refusals: [CloseReason.Code] = [
        .identityNotMapped, .identityAmbiguous, .identityRefused, .certificateDenied, .contextNotAllowed,
    ]

    private mutating func decodeExpectation(_ node: Node, _ path: String) -> PolicyTable.Expectation? {
        let known = [
            "as", "call", "listen", "channel", "from", "argument", "announce", "allow", "rule", "context", "refused",
        ]
        guard let section = decoder.reader.section(node, path, known: known) else { return nil }
        let before = decoder.reader.problems.count
        let identity = decoder.reader.required(section, "as", "the name of an identity of as:")
            .flatMap { decodeIdentity($0, section.path(of: "as")) }
        let allow = section.members["allow"].flatMap { decoder.reader.boolean($0, section.path(of: "allow")) }
        let refused = section.members["refused"].flatMap {
            decoder.reader.choice($0, section.path(of: "refused"), of: Self.refusals.map(\.rawValue))
        }
        let questions = decodeQuestions(section)
        let announced = section.members["announce"].flatMap { decodeValue($0, section.path(of: "announce")) }
        let context = section.members["context"].flatMap { decodeValue($0, section.path(of: "context")) }
        let rule = decoder.optionalText(section, "rule", "the name of a rule, or its place")
        checkShape(section)
        guard let identity, decoder.reader.problems.count == before else { return nil }
        let outcome: PolicyTable.Expectation.Outcome =
            refused.map { .refused($0) } ?? allow.map { .decided(isAllowed: $0) } ?? .accepted
        return PolicyTable.Expectation(
            identity: identity,
            announced: announced,
            questions: questions,
            outcome: outcome,
            rule: rule,
            context: context,
            line: node.mark?.line ?? 0
        )
    }

    /// Reports members that do not go together: what is not judged would seem to have been tested.
    private mutating func checkShape(_ section: ConfigurationReader.Section) {
        func has(_ key: String) -> Bool { section.members[key] != nil }
        let asks = has("call") || has("listen")
        if has("refused") {
            let idle = ["call", "listen", "channel", "from", "argument", "allow", "rule", "context"].filter(has)
            if !idle.isEmpty {
                report(section, "who is refused asks for nothing; leave out \(idle.joined(separator: ", "))")
            }
        } else if asks, !has("allow") {
            report(section, "'allow' is missing: true or false")
        } else if !asks {
            let idle = ["allow", "rule", "channel", "from", "argument"].filter(has)
            if !idle.isEmpty {
                report(section, "\(idle.joined(separator: ", ")): needs call: or listen:, as in  call: storage.get")
            } else if !has("context") {
                report(section, "expects nothing; add call: and allow:, or refused:, or context:")
            }
        }
    }

    private mutating func report(_ section: ConfigurationReader.Section, _ message: String) {
        decoder.reader.report(section.node, section.path, message)
    }

    private mutating func decodeQuestions(_ section: ConfigurationReader.Section) -> [PolicyQuestion] {
        let channel = decoder.optionalText(section, "channel", "the name of a channel")
        let from = section.members["from"].flatMap {
            decoder.reader.choice($0, section.path(of: "from"), of: ["client", "server"])
        }
        let argument = section.members["argument"].flatMap { decodeValue($0, section.path(of: "argument")) }
        var questions: [PolicyQuestion] = []
        for (key, request) in [("call", AccessPolicy.Request.call), ("listen", .listen)] {
            guard let node = section.members[key] else { continue }
            let path = section.path(of: key)
            for text in decodeTexts(node, path, "channel.name, or with channel: a name") ?? [] {
                guard let (channel, name) = channel.map({ ($0, text) }) ?? PolicyQuestion.split(text) else {
                    decoder.reader.report(node, path, "expected channel.name, as in storage.get, not '\(text)'")
                    continue
                }
                questions.append(
                    PolicyQuestion(
                        request,
                        from == "server" ? .fromServer : .fromClient,
                        channel: channel,
                        name: name,
                        argument: ValueEncoder.encode(argument ?? .undefined)
                    )
                )
            }
        }
        return questions
    }

    /// A value with the kinds that its parts have in YAML, as conditions take them.
    private mutating func decodeValue(_ node: Node, _ path: String) -> IPCValue? {
        switch node {
        case .sequence:
            guard let items = decoder.reader.list(node, path, of: "values") else { return nil }
            return .array(items.compactMap { decodeValue($0.node, $0.path) })
        case .mapping:
            guard let members = decoder.reader.mapping(node, path, of: "values") else { return nil }
            return .object(
                IPCObject(
                    members.compactMap { key, node, _ in
                        decodeValue(node, "\(path).\(key)").map { IPCObject.Member(key: IPCString(key), value: $0) }
                    }
                )
            )
        default:
            switch decoder.decodeConstant(node, path) {
            case .null?: return .null
            case .bool(let bool)?: return .bool(bool)
            case .number(let number)?: return IPCValue(number)
            case .text(let text)?: return IPCValue(String(decoding: text, as: UTF8.self))
            case nil: return nil
            }
        }
    }
}
