// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `listeners:`.
extension ConfigurationDecoder {
    mutating func decodeListeners(_ document: ConfigurationReader.Section) -> [GatewayConfiguration.Listener] {
        let what = "where to listen, as in  - address: 0.0.0.0:7443"
        guard let node = reader.required(document, "listeners", what),
            let items = reader.list(node, "listeners", of: "listeners")
        else { return [] }
        if items.isEmpty { reader.report(node, "listeners", "is empty; \(what)") }
        var listeners: [GatewayConfiguration.Listener] = []
        for item in items {
            guard let listener = decodeListener(item.node, item.path) else { continue }
            if let name = listener.inherited,
                listeners.contains(where: { $0.inherited?.utf8.elementsEqual(name.utf8) == true })
            {
                reader.report(item.node, item.path, "another listener takes the socket '\(name)' already")
            }
            listeners.append(listener)
        }
        return listeners
    }

    private static let listenerKeys = ["address", "tls", "proxy", "unix", "mode", "shared", "limits", "for"]

    private mutating func decodeListener(_ node: Node, _ path: String) -> GatewayConfiguration.Listener? {
        guard let section = reader.section(node, path, known: Self.listenerKeys) else { return nil }
        let limits = section.members["limits"].map { decodeListenerLimits($0, section) } ?? ListenerLimits()
        let proxies = decodeProxy(section)
        let line = node.mark?.line ?? 0
        let key = section.members["unix"] != nil ? "unix" : "address"
        let inherited = section.members[key].flatMap { decodeInherited($0, section, key) }
        let isShared = section.members["shared"].flatMap { decodeShared($0, section, inherited, key) } ?? false
        if key == "unix" {
            if let node = section.members["for"] {
                reader.report(
                    node,
                    section.path(of: "for"),
                    "peers come from other machines; a Unix socket is for clients"
                )
            }
            return decodeSocket(section, isInherited: inherited != nil).map {
                .init(place: .unix($0), inherited: inherited, limits: limits, line: line)
            }
        }
        if let mode = section.members["mode"] {
            reader.report(mode, section.path(of: "mode"), "is for a Unix socket; an address has none")
        }
        let address = reader.required(section, "address", "IP address and port, as in 0.0.0.0:7443 (or 'unix': a path)")
            .flatMap { inherited == nil ? decodeAddress($0, section.path(of: "address")) : Self.inheritedAddress }
        let tls = reader.required(section, "tls", "a mapping with certificate, key and clientCA")
            .flatMap { decodeTLS($0, section.path(of: "tls")) }
        let whom = section.members["for"].flatMap {
            reader.choice($0, section.path(of: "for"), of: ["clients", "peers"])
        }
        guard let address, let tls else { return nil }
        return GatewayConfiguration.Listener(
            place: .tcp(address, tls),
            inherited: inherited,
            isShared: isShared,
            limits: limits,
            isForPeers: whom == "peers",
            proxies: proxies,
            line: line
        )
    }

    // MARK: Sockets of the service manager

    /// What stands in the place of an address that only the service manager knows.
    private static let inheritedAddress = ListenerAddress(host: "systemd", port: 0)

    /// The name in `systemd:NAME`; nil when the value is something else, which is read elsewhere.
    private mutating func decodeInherited(
        _ node: Node,
        _ section: ConfigurationReader.Section,
        _ key: String
    ) -> String? {
        let scheme = "systemd:"
        guard case .scalar(let scalar) = node, scalar.string.utf8.starts(with: scheme.utf8) else { return nil }
        let name = String(scalar.string.dropFirst(scheme.count))
        // systemd.socket(5): neither control characters nor colons, at most 255 characters.
        guard (1...255).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") })
        else {
            let message = "expected systemd:NAME, the FileDescriptorName= of a socket unit, not '\(scalar.string)'"
            reader.report(node, section.path(of: key), message)
            return ""
        }
        return name
    }

    private mutating func decodeShared(
        _ node: Node,
        _ section: ConfigurationReader.Section,
        _ inherited: String?,
        _ key: String
    ) -> Bool? {
        let path = section.path(of: "shared")
        if key == "unix" {
            reader.report(node, path, "is for an address; for a Unix socket use one of systemd's (unix: systemd:NAME)")
        } else if inherited != nil {
            reader.report(node, path, "is for an address; a socket of systemd's is open for the next gateway anyway")
        }
        return reader.boolean(node, path)
    }

    private mutating func decodeListenerLimits(
        _ node: Node,
        _ listener: ConfigurationReader.Section
    ) -> ListenerLimits {
        let known = ["clients", "handshakesPerSecond", "handshakesAtOnce"]
        guard let section = reader.section(node, listener.path(of: "limits"), known: known) else {
            return ListenerLimits()
        }
        let counts = known.map { key in
            section.members[key].flatMap { reader.integer($0, section.path(of: key), in: 1...1 << 24) }
        }
        if let node = section.members["handshakesAtOnce"], listener.members["unix"] != nil {
            reader.report(node, section.path(of: "handshakesAtOnce"), "a Unix socket has no handshake")
        }
        return ListenerLimits(clients: counts[0], handshakesPerSecond: counts[1], handshakesAtOnce: counts[2])
    }

    private mutating func decodeSocket(
        _ section: ConfigurationReader.Section,
        isInherited: Bool
    ) -> GatewayConfiguration.ListenerSocket? {
        if let node = section.members["mode"], isInherited {
            let message = "the socket is made by systemd; its unit has SocketMode=, SocketUser= and SocketGroup="
            reader.report(node, section.path(of: "mode"), message)
        }
        if let node = section.members["address"] {
            let message = "a listener has either 'address' or 'unix'; make two of it"
            reader.report(node, section.path(of: "address"), message)
        }
        if let node = section.members["tls"] {
            let message =
                "a Unix socket has no TLS: the kernel says who connects, and clients: match uid, gid and executable; "
                + "leave it out"
            reader.report(node, section.path(of: "tls"), message)
        }
        let mode = section.members["mode"].map { decodeMode($0, section.path(of: "mode")) }
        guard let path = requiredText(section, "unix", "the path of a Unix socket") else { return nil }
        return GatewayConfiguration.ListenerSocket(
            path: path,
            mode: mode ?? GatewayConfiguration.ListenerSocket.standardMode
        )
    }

    private mutating func decodeMode(_ node: Node, _ path: String) -> UInt32 {
        let what = "a file's mode in octal digits, quoted, as in \"0660\""
        let standard = GatewayConfiguration.ListenerSocket.standardMode
        guard let text = reader.text(node, path, what) else { return standard }
        // Without its zero a number might be meant as a decimal one.
        guard text.utf8.count == 4, text.utf8.first == UInt8(ascii: "0"), let mode = UInt32(text, radix: 8) else {
            reader.report(node, path, "expected \(what), not '\(text)'")
            return standard
        }
        return mode
    }

    mutating func decodeAddress(_ node: Node, _ path: String) -> ListenerAddress? {
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
        guard bracketed == isIPv6, IPAddressSyntax.isAddress(host) else {
            let hint =
                if isIPv6, !bracketed {
                    " (an IPv6 address needs brackets)"
                } else if host.contains(where: { $0.isLetter && !$0.isHexDigit }) {
                    " (a host name is not an address)"
                } else {
                    ""
                }
            reader.report(node, path, "expected \(what), not '\(text)'\(hint)")
            return nil
        }
        return ListenerAddress(host: host, port: port)
    }

    private mutating func decodeTLS(_ node: Node, _ path: String) -> GatewayConfiguration.ListenerTLS? {
        let known = [
            "certificate", "key", "keyPassphrase", "clientCA", "crl", "resumption", "keyLog", "minimumVersion",
            "cipherSuites", "ciphers", "groups",
        ]
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
        let passphrase = section.members["keyPassphrase"]
            .flatMap { decodePassphrase($0, section.path(of: "keyPassphrase")) }
        let crl = optionalText(section, "crl", "the path of the authorities' revocation lists, a PEM file")
        let keyLog = optionalText(section, "keyLog", "the path of a file for TLS secrets")
        let resumption = section.members["resumption"].map {
            decodeResumption($0, section.path(of: "resumption"))
        }
        guard let certificate, let key, let clientCA else { return nil }
        return GatewayConfiguration.ListenerTLS(
            certificate: certificate,
            key: key,
            keyPassphrase: passphrase,
            clientCA: clientCA,
            crl: crl,
            resumption: resumption ?? Self.standardResumption,
            keyLog: keyLog,
            minimumVersion: (version ?? "1.3") ?? "1.3",
            cipherSuites: suites,
            ciphers: ciphers,
            groups: groups
        )
    }

    /// How long sessions may be resumed by default, in seconds.
    private static let standardResumption: Int64 = 3600

    private mutating func decodeResumption(_ node: Node, _ path: String) -> Int64 {
        if case .scalar(let scalar) = node, scalar.string == "off" { return 0 }
        return reader.duration(node, path).map { Int64($0 / 1_000_000_000) } ?? 0
    }

    mutating func decodePassphrase(_ node: Node, _ path: String) -> GatewayConfiguration.Passphrase? {
        guard let section = reader.section(node, path, known: ["file", "environment"]) else { return nil }
        let file = optionalText(section, "file", "the path of a file with the passphrase")
        let variable = optionalText(section, "environment", "the name of an environment variable")
        switch (file, variable) {
        case (let file?, nil): return .file(file)
        case (nil, let variable?): return .environment(variable)
        default:
            reader.report(node, path, "expected either 'file' or 'environment'")
            return nil
        }
    }
}
