// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `upstreams:`, and which of them a client has.
extension ConfigurationDecoder {
    /// More of them than a client could sensibly have connections to.
    private static let mostUpstreams = 200

    mutating func decodeUpstreams(_ document: ConfigurationReader.Section) -> [GatewayConfiguration.Upstream] {
        let what = "the local servers, as in  main: { unix: /run/app/main.sock }"
        guard let node = reader.required(document, "upstreams", what),
            let members = reader.mapping(node, "upstreams", of: "a name for each local server")
        else { return [] }
        if members.isEmpty { reader.report(node, "upstreams", "is empty; \(what)") }
        if members.count > Self.mostUpstreams {
            reader.report(node, "upstreams", "there are \(members.count); at most \(Self.mostUpstreams) are possible")
        }
        return members.compactMap { decodeUpstream($0.key, $0.value) }
    }

    private mutating func decodeUpstream(_ name: String, _ node: Node) -> GatewayConfiguration.Upstream? {
        let path = "upstreams.\(name)"
        let keys = ["unix", "eager", "channels", "whenLost", "idempotent", "health"]
        guard let section = reader.section(node, path, known: keys) else { return nil }
        let eager = section.members["eager"].flatMap { reader.boolean($0, section.path(of: "eager")) } ?? false
        let isChecked = section.members["health"].flatMap { reader.boolean($0, section.path(of: "health")) } ?? true
        let channels = section.members["channels"].flatMap {
            decodePatterns($0, section.path(of: "channels"), "patterns for channels")
        }
        if let node = section.members["channels"], channels?.isEmpty == true {
            reader.report(node, section.path(of: "channels"), "is empty; leave it out for a server of all channels")
        }
        let known = GatewayConfiguration.Upstream.Loss.allCases.map(\.rawValue)
        let whenLost = section.members["whenLost"].flatMap {
            reader.choice($0, section.path(of: "whenLost"), of: known)
        }.flatMap(GatewayConfiguration.Upstream.Loss.init(rawValue:))
        let idempotent = decodeIdempotent(section, whenLost: whenLost)
        guard let unix = requiredText(section, "unix", "the path of the server's Unix socket") else { return nil }
        guard unix.utf8.count < 108 else {
            reader.report(
                node,
                section.path(of: "unix"),
                "a socket's path has at most 107 bytes; this has \(unix.utf8.count)"
            )
            return nil
        }
        var upstream = GatewayConfiguration.Upstream(
            name: name,
            unix: unix,
            eager: eager,
            channels: channels ?? [],
            whenLost: whenLost,
            idempotent: idempotent
        )
        upstream.isChecked = isChecked
        return upstream
    }

    /// The upstreams of a client entry, by name: those it lists, or all.
    mutating func decodeUpstreamNames(
        _ client: ConfigurationReader.Section,
        upstreams: [GatewayConfiguration.Upstream]
    ) -> [String]? {
        let path = client.path(of: "upstream")
        var names = upstreams.map(\.name)
        var place = (node: client.node, path: client.path)
        if let node = client.members["upstream"] {
            var items = [(node: node, path: path)]
            if case .sequence = node { items = reader.list(node, path, of: "names of upstreams") ?? [] }
            if items.isEmpty { reader.report(node, path, "is empty; name at least one of \(names)") }
            var chosen: [String] = []
            for item in items {
                guard let name = reader.choice(item.node, item.path, of: names) else { return nil }
                if chosen.contains(name) { reader.report(item.node, item.path, "'\(name)' is listed twice") }
                chosen.append(name)
            }
            names = chosen
            place = (node, path)
        }
        let own = upstreams.filter { names.contains($0.name) }
        let open = own.filter(\.channels.isEmpty).map(\.name)
        if open.count > 1 {
            let all = open.joined(separator: ", ")
            let message =
                client.members["upstream"] == nil
                ? "'upstream' is missing: several have no channels of their own, so name one of \(all)"
                : "nothing tells \(all) apart: at most one of them may be without channels:"
            reader.report(place.node, place.path, message)
            return nil
        }
        if let conflict = RouteTable.conflict(in: own.map(\.channels)) {
            let first = "'\(conflict.first.pattern)' of \(own[conflict.first.upstream].name)"
            let second = "'\(conflict.second.pattern)' of \(own[conflict.second.upstream].name)"
            let message = "nobody can tell which of these a channel belongs to: \(first), \(second)"
            reader.report(place.node, place.path, message)
            return nil
        }
        return names
    }
}
