// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Writes what was learned as sections of a configuration.
struct LearnedPolicy {
    private let clients: [(key: LearnedClient.Key, client: LearnedClient)]
    /// The name of the role of each set of rules that several identities need.
    private var roles: [(rights: Set<LearnedRight>, name: String)] = []

    init(_ clients: [LearnedClient.Key: LearnedClient]) {
        self.clients = clients.map { ($0.key, $0.value) }.sorted { left, right in
            left.key.order.lexicographicallyPrecedes(right.key.order) { $0.lexicographicallyPrecedes($1) }
        }
        var seen: [Set<LearnedRight>: Int] = [:]
        for (_, client) in self.clients where !client.rights.isEmpty { seen[client.rights, default: 0] += 1 }
        for (_, client) in self.clients where seen[client.rights, default: 0] > 1 {
            guard !roles.contains(where: { $0.rights == client.rights }) else { continue }
            roles.append((client.rights, "learned-\(roles.count + 1)"))
        }
    }

    // MARK: YAML

    func yaml() -> String {
        var lines: [String] = []
        if !roles.isEmpty {
            lines.append("roles:")
            for role in roles {
                lines += ["  \(role.name):", "    allow:"] + rules(role.rights, indentation: "      ")
            }
            lines.append("")
        }
        lines.append(clients.isEmpty ? "clients: []" : "clients:")
        for (key, client) in clients { lines += entry(key, client) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func entry(_ key: LearnedClient.Key, _ client: LearnedClient) -> [String] {
        let match = key.members.map { "\(YAMLText.scalar($0.field)): \(pattern($0.value))" }
        var lines = ["  - match: { \(match.joined(separator: ", ")) }"]
        lines.append("    context: \(LearnedContextText(client).yaml)")
        if let role = roles.first(where: { $0.rights == client.rights }) {
            lines.append("    roles: [\(role.name)]")
        } else if client.rights.isEmpty {
            lines.append("    allow: [] # connected, and asked for nothing that was allowed")
        } else {
            lines.append("    allow:")
            lines += rules(client.rights, indentation: "      ")
        }
        let upstreams = Self.upstreams(client).map { YAMLText.scalar(String(decoding: $0, as: UTF8.self)) }
        if upstreams.count == 1 { lines.append("    upstream: \(upstreams[0])") }
        if upstreams.count > 1 { lines.append("    upstream: [\(upstreams.joined(separator: ", "))]") }
        return lines
    }

    /// The servers it was led to, the one with most requests first.
    private static func upstreams(_ client: LearnedClient) -> [[UInt8]] {
        client.upstreams.sorted { left, right in
            left.value == right.value ? left.key.lexicographicallyPrecedes(right.key) : left.value > right.value
        }.map(\.key)
    }

    /// A rule for each channel, requests of the server last.
    private func rules(_ rights: Set<LearnedRight>, indentation: String) -> [String] {
        var lines: [String] = []
        for direction in [AccessPolicy.Direction.fromClient, .fromServer] {
            let own = rights.filter { $0.direction == direction }
            for channel in Set(own.map(\.channel)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                var members = direction == .fromServer ? ["from: server"] : []
                members.append("channel: \(pattern(channel))")
                for (request, word) in [(AccessPolicy.Request.call, "call"), (.listen, "listen")] {
                    let names = own.filter { $0.channel == channel && $0.request == request }.map(\.name)
                    guard !names.isEmpty else { continue }
                    let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }.map(pattern)
                    members.append("\(word): [\(sorted.joined(separator: ", "))]")
                }
                lines.append("\(indentation)- { \(members.joined(separator: ", ")) }")
            }
        }
        return lines
    }

    private func pattern(_ literal: [UInt8]) -> String {
        YAMLText.scalar(Glob.text(matching: literal))
    }

    // MARK: Warnings

    var warnings: [String] {
        clients.flatMap { key, client in
            LearnedContextText(client).warnings.map { "\(key.text): \($0)" }
        }
    }
}

extension LearnedClient.Key {
    /// The names of the fields, then their values.
    fileprivate var order: [[UInt8]] {
        members.map { Array($0.field.utf8) } + members.map(\.value)
    }
}

extension Glob {
    /// The pattern that matches a text and nothing else.
    static func text(matching literal: [UInt8]) -> String {
        // The reader of YAML drops a byte order mark that a text begins with; behind a backslash it does not.
        var pattern = literal.starts(with: "\u{feff}".utf8) ? [UInt8(ascii: "\\")] : []
        for byte in literal {
            if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "\\") { pattern.append(UInt8(ascii: "\\")) }
            pattern.append(byte)
        }
        return String(decoding: pattern, as: UTF8.self)
    }
}
