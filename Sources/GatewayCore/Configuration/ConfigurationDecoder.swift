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

    private static func syntaxProblem(_ error: any Error, _ file: String) -> ConfigurationProblem {
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
        default:
            break
        }
        return problem
    }
}

/// Turns the document's nodes into a configuration, section by section.
struct ConfigurationDecoder {
    var reader: ConfigurationReader

    init(file: String) {
        reader = ConfigurationReader(file: file)
    }

    /// The configuration, or nil when `reader.problems` says why there is none.
    mutating func decode(_ root: Node) -> GatewayConfiguration? {
        let known = ["listeners", "upstreams", "identity", "clients", "limits", "timeouts", "threads"]
        guard let document = reader.section(root, "", known: known) else { return nil }
        let listeners = decodeListeners(document)
        let upstreams = decodeUpstreams(document)
        let fields = decodeIdentity(document)
        let clients = decodeClients(document, upstreams: upstreams, fields: fields)
        let limits = decodeLimits(document)
        let timeouts = decodeTimeouts(document)
        let threads = document.members["threads"].flatMap { reader.integer($0, "threads", in: 1...1024) }
        guard reader.problems.isEmpty else { return nil }
        return GatewayConfiguration(
            file: reader.file,
            listeners: listeners,
            upstreams: upstreams,
            identityFields: fields,
            clients: clients,
            limits: limits,
            timeouts: timeouts,
            threads: threads,
            warnings: reader.warnings
        )
    }

    // MARK: Listeners

    private mutating func decodeListeners(_ document: ConfigurationReader.Section) -> [GatewayConfiguration.Listener] {
        let what = "the addresses to listen on, as in  - address: 0.0.0.0:7443"
        guard let node = reader.required(document, "listeners", what),
            let items = reader.list(node, "listeners", of: "listeners")
        else { return [] }
        if items.isEmpty { reader.report(node, "listeners", "is empty; \(what)") }
        var listeners: [GatewayConfiguration.Listener] = []
        for item in items {
            if let listener = decodeListener(item.node, item.path) { listeners.append(listener) }
        }
        return listeners
    }

    private mutating func decodeListener(_ node: Node, _ path: String) -> GatewayConfiguration.Listener? {
        guard let section = reader.section(node, path, known: ["address", "tls"]) else { return nil }
        let address = reader.required(section, "address", "IP address and port, as in 0.0.0.0:7443 or [::]:7443")
            .flatMap { decodeAddress($0, section.path(of: "address")) }
        let tls = reader.required(section, "tls", "a mapping with certificate, key and clientCA")
            .flatMap { decodeTLS($0, section.path(of: "tls")) }
        guard let address, let tls else { return nil }
        return GatewayConfiguration.Listener(address: address, tls: tls, line: node.mark?.line ?? 0)
    }

    private mutating func decodeAddress(_ node: Node, _ path: String) -> ListenerAddress? {
        let what = "an IP address and port, as in 0.0.0.0:7443 or [::]:7443"
        guard let text = reader.text(node, path, what) else { return nil }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            reader.report(node, path, "expected \(what), not '\(text)'")
            return nil
        }
        var host = String(text[..<colon])
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = String(host.dropFirst().dropLast()) }
        let isIPv6 = host.contains(":")
        let digits = host.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        guard bracketed == isIPv6, digits, !host.isEmpty else {
            let hint = isIPv6 && !bracketed ? " (an IPv6 address needs brackets)" : " (a host name is not an address)"
            reader.report(node, path, "expected \(what), not '\(text)'\(digits && !isIPv6 ? "" : hint)")
            return nil
        }
        return ListenerAddress(host: host, port: port)
    }

    private mutating func decodeTLS(_ node: Node, _ path: String) -> GatewayConfiguration.ListenerTLS? {
        let known = ["certificate", "key", "clientCA", "minimumVersion", "cipherSuites", "ciphers", "groups"]
        guard let section = reader.section(node, path, known: known) else { return nil }
        let certificate = requiredText(section, "certificate", "the path of the gateway's certificate, a PEM file")
        let key = requiredText(section, "key", "the path of the certificate's private key, a PEM file")
        let clientCA = requiredText(
            section,
            "clientCA",
            "the path of the certificates that may issue client certificates, a PEM file"
        )
        let version = section.members["minimumVersion"].map {
            reader.choice($0, section.path(of: "minimumVersion"), of: ["1.2", "1.3"])
        }
        let suites = optionalTexts(section, "cipherSuites", "cipher suites of TLS 1.3")
        let ciphers = optionalTexts(section, "ciphers", "ciphers of TLS 1.2")
        let groups = optionalTexts(section, "groups", "key exchange groups")
        if let node = section.members["ciphers"], (version ?? "1.3") == "1.3" {
            reader.warn(
                node,
                section.path(of: "ciphers"),
                "has no effect: these are for TLS 1.2, and the minimum is 1.3"
            )
        }
        guard let certificate, let key, let clientCA else { return nil }
        return GatewayConfiguration.ListenerTLS(
            certificate: certificate,
            key: key,
            clientCA: clientCA,
            minimumVersion: (version ?? "1.3") ?? "1.3",
            cipherSuites: suites,
            ciphers: ciphers,
            groups: groups
        )
    }

    private mutating func requiredText(
        _ section: ConfigurationReader.Section,
        _ key: String,
        _ what: String
    ) -> String? {
        reader.required(section, key, what).flatMap { reader.text($0, section.path(of: key), what) }
    }

    private mutating func optionalTexts(
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

    // MARK: Upstreams

    private mutating func decodeUpstreams(_ document: ConfigurationReader.Section) -> [GatewayConfiguration.Upstream] {
        let what = "the local servers, as in  main: { unix: /run/app/main.sock }"
        guard let node = reader.required(document, "upstreams", what),
            let members = reader.mapping(node, "upstreams", of: "a name for each local server")
        else { return [] }
        if members.isEmpty { reader.report(node, "upstreams", "is empty; \(what)") }
        var upstreams: [GatewayConfiguration.Upstream] = []
        for (name, node, _) in members {
            let path = "upstreams.\(name)"
            guard let section = reader.section(node, path, known: ["unix", "eager"]) else { continue }
            let eager = section.members["eager"].flatMap { reader.boolean($0, section.path(of: "eager")) } ?? false
            guard let unix = requiredText(section, "unix", "the path of the server's Unix socket") else { continue }
            guard unix.utf8.count < 108 else {
                reader.report(
                    node,
                    section.path(of: "unix"),
                    "a socket's path has at most 107 bytes; this has \(unix.utf8.count)"
                )
                continue
            }
            upstreams.append(GatewayConfiguration.Upstream(name: name, unix: unix, eager: eager))
        }
        return upstreams
    }

    // MARK: Identity

    private mutating func decodeIdentity(_ document: ConfigurationReader.Section) -> [IdentityField] {
        let standard: [IdentityField] = [.uri, .dns, .commonName]
        guard let node = document.members["identity"],
            let section = reader.section(node, "identity", known: ["from"]),
            let from = reader.required(section, "from", "the certificate fields that name a client, in order"),
            let items = reader.list(from, "identity.from", of: "certificate fields")
        else { return standard }
        var fields: [IdentityField] = []
        for item in items {
            let known = IdentityField.allCases.map(\.rawValue)
            guard let name = reader.choice(item.node, item.path, of: known), let field = IdentityField(rawValue: name)
            else { continue }
            if fields.contains(field) {
                reader.report(item.node, item.path, "'\(name)' is listed twice")
            } else {
                fields.append(field)
            }
        }
        if items.isEmpty { reader.report(from, "identity.from", "is empty; nobody could be recognised") }
        return fields
    }

    // MARK: Limits

    private mutating func decodeLimits(_ document: ConfigurationReader.Section) -> GatewayLimits {
        var limits = GatewayLimits()
        let known = ["frameBytes", "contextBytes", "queueBytes", "valueDepth", "valueElements", "jsonDepth"]
        guard let node = document.members["limits"], let section = reader.section(node, "limits", known: known) else {
            return limits
        }
        func path(_ key: String) -> String { section.path(of: key) }
        if let node = section.members["frameBytes"] {
            limits.wire.frameBytes = reader.size(node, path("frameBytes"), in: 64...1 << 30) ?? 0
        }
        if let node = section.members["contextBytes"] {
            limits.contextBytes = reader.size(node, path("contextBytes"), in: 16...1 << 20) ?? 0
        }
        if let node = section.members["queueBytes"] {
            limits.queueBytes = reader.size(node, path("queueBytes"), in: 1024...1 << 30) ?? 0
        }
        if let node = section.members["valueDepth"] {
            limits.wire.valueDepth = reader.integer(node, path("valueDepth"), in: 1...1024) ?? 0
        }
        if let node = section.members["valueElements"] {
            limits.wire.valueElements = reader.integer(node, path("valueElements"), in: 16...1 << 28) ?? 0
        }
        if let node = section.members["jsonDepth"] {
            limits.wire.jsonDepth = reader.integer(node, path("jsonDepth"), in: 1...1024) ?? 0
        }
        return limits
    }

    private mutating func decodeTimeouts(_ document: ConfigurationReader.Section) -> GatewayTimeouts {
        var timeouts = GatewayTimeouts()
        guard let node = document.members["timeouts"],
            let section = reader.section(node, "timeouts", known: ["handshake", "context", "upstream", "drain"])
        else { return timeouts }
        let members: [(String, WritableKeyPath<GatewayTimeouts, UInt64>)] = [
            ("handshake", \.handshake), ("context", \.context), ("upstream", \.upstream), ("drain", \.drain),
        ]
        for (key, member) in members {
            if let node = section.members[key], let value = reader.duration(node, section.path(of: key)) {
                timeouts[keyPath: member] = value
            }
        }
        return timeouts
    }
}
