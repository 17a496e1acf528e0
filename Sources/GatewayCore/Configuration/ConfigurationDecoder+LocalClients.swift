// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// What is particular to entries of `clients:` for local clients.
extension ConfigurationDecoder {
    /// Reports a pattern that no local client could ever match, or that says something else than it seems to.
    ///
    /// - Returns: Whether the pattern may be used.
    mutating func isPossible(_ pattern: String, _ node: Node, _ path: String, _ field: IdentityField) -> Bool {
        switch field {
        case .uid, .gid:
            return isPossibleNumber(pattern, node, path, field)
        case .executable where pattern.utf8.first != UInt8(ascii: "/"):
            let message =
                "expected an absolute path such as \"/usr/lib/app/*\", not '\(pattern)'; links are followed, so it is "
                + "what 'readlink -f' prints"
            reader.report(node, path, message)
            return false
        default:
            return true
        }
    }

    /// The id that stands for all those that have no number here, in user namespaces (/proc/sys/kernel/overflowuid).
    private static let overflowID: UInt32 = 65_534

    private mutating func isPossibleNumber(
        _ pattern: String,
        _ node: Node,
        _ path: String,
        _ field: IdentityField
    ) -> Bool {
        if pattern.utf8.elementsEqual("*".utf8) { return true }
        guard let number = LocalPeer.id(pattern) else {
            let option = field == .uid ? "-u" : "-G"
            let message =
                "expected a number such as \"1000\", or \"*\" for all, not '\(pattern)'; names are not looked up, and "
                + "'id \(option) NAME' prints the number"
            reader.report(node, path, message)
            return false
        }
        if number == Self.overflowID {
            let message = "\(number) also stands for everybody of another user namespace who has no number here"
            reader.warn(node, path, message)
        }
        return true
    }

    /// Reports an entry that wants what no client has: a certificate and a process on this machine.
    mutating func checkSources(_ match: [IdentityField: [Glob]], _ node: Node, _ path: String) {
        let names = Dictionary(grouping: match.keys) { $0.source }
            .mapValues { $0.map(\.rawValue).sorted().joined(separator: ", ") }
        if let certificates = names[.certificate], let local = names[.local] {
            let message =
                "asks for fields of certificates (\(certificates)) and of local clients (\(local)), and nobody has "
                + "both; make two entries"
            reader.report(node, path, message)
        } else if match.count == 1, match[.executable] != nil {
            let message =
                "names a program and no user, so whoever may run the program matches, and may make it do what he "
                + "wants; put a uid or gid beside it"
            reader.warn(node, path, message)
        }
    }

    /// Reports places of a context that can never be filled for those whom the entry matches.
    mutating func checkContext(
        _ context: ContextRule,
        of match: [IdentityField: [Glob]],
        _ client: ConfigurationReader.Section
    ) {
        guard let source = match.keys.first?.source, match.keys.allSatisfy({ $0.source == source }) else { return }
        let others = context.fields.filter { $0.source != source }.map { "{\($0.rawValue)}" }.sorted()
        guard !others.isEmpty, let node = client.members["context"] else { return }
        let whose = source == .local ? "local clients, who have no certificate" : "clients with a certificate"
        let message = "\(others.joined(separator: ", ")) cannot be filled: the entry is for \(whose)"
        reader.report(node, client.path(of: "context"), message)
    }

    /// Warns of entries for clients that no listener lets in.
    mutating func warnOfUnreachable(
        _ clients: [GatewayConfiguration.Client],
        _ listeners: [GatewayConfiguration.Listener]
    ) {
        guard !listeners.isEmpty else { return }
        var served: Set<IdentityField.Source> = []
        for listener in listeners {
            switch listener.place {
            case .tcp: served.insert(.certificate)
            case .unix: served.insert(.local)
            }
        }
        for (index, client) in clients.enumerated() {
            guard let source = client.match.keys.first?.source, !served.contains(source) else { continue }
            let message =
                source == .local
                ? "is for local clients, and no listener has a 'unix' socket"
                : "is for clients with a certificate, and no listener has an 'address'"
            reader.warn(line: client.line, "clients[\(index)].match", message)
        }
    }
}
