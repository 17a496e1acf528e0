// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Warnings of entries that let in, or allow, more than somebody may have meant.
extension ConfigurationDecoder {
    /// Files with very many entries are written by programs; comparing each with each would take long.
    private static let mostComparisons = 1_000_000

    mutating func warnOfDoubts(_ clients: [GatewayConfiguration.Client], _ path: String, fields: [IdentityField]) {
        for (index, client) in clients.enumerated() {
            let path = "\(path)[\(index)]"
            if let field = client.everybody(fields) {
                let message =
                    field.source == .certificate
                    ? "matches everybody who has a certificate with a \(field.rawValue) from your authority"
                    : "matches every local client with a \(field.rawValue) that can open the socket"
                reader.warn(line: client.line, "\(path).match", message)
            } else if let pattern = client.everyTrustDomain {
                let message = "'\(pattern)' matches every host, or trust domain; name yours"
                reader.warn(line: client.line, "\(path).match.uri", message)
            }
            for (field, pattern) in client.impossible {
                let message = "'\(pattern)' matches nobody: a \(field.rawValue) is 64 hexadecimal digits"
                reader.warn(line: client.line, "\(path).match.\(field.rawValue)", message)
            }
            guard client.isForMany else { continue }
            if client.announcesAnything {
                let message =
                    "each of those who match may announce any context, another's too; assign it, or narrow the pattern"
                reader.warn(line: client.line, "\(path).context", message)
            }
            if let rule = client.everything {
                let message = "everybody who matches may call everything, by \(rule.place); name channels or commands"
                reader.warn(line: client.line, path, message)
            }
        }
        warnOfCollisions(clients, path, fields: fields)
    }

    /// Warns of entries whose clients are always refused, because another entry is for them too.
    private mutating func warnOfCollisions(
        _ clients: [GatewayConfiguration.Client],
        _ path: String,
        fields: [IdentityField]
    ) {
        guard clients.count * clients.count <= Self.mostComparisons else { return }
        for (index, client) in clients.enumerated() {
            guard let field = fields.first(where: { client.match[$0] != nil }), let own = client.match[field] else {
                continue
            }
            for (other, twin) in clients.enumerated() where other != index && twin.match.count == 1 {
                guard let patterns = twin.match[field] else { continue }
                let isCovered = own.allSatisfy { own in patterns.contains { $0.covers(own) } }
                // Of two that say the same only the second.
                let isMutual = client.match == twin.match
                guard isCovered, !isMutual || other < index else { continue }
                let message =
                    "whoever matches it matches \(path)[\(other)] too, on line \(twin.line), and is refused as ambiguous"
                reader.warn(line: client.line, "\(path)[\(index)].match", message)
                break
            }
        }
    }
}

extension IdentityField {
    /// Whether a value is one identity's: a group, a department or a program is many people's.
    fileprivate var namesOne: Bool {
        switch self {
        case .uri, .dns, .email, .ip, .commonName, .fingerprint, .publicKey, .uid: true
        case .organizationalUnit, .gid, .executable: false
        }
    }
}

extension GatewayConfiguration.Client {
    /// Whether more than a known number of identities match.
    fileprivate var isForMany: Bool {
        !match.contains { field, patterns in field.namesOne && patterns.allSatisfy { $0.literal != nil } }
    }

    /// The field that a certificate only has to have; nil when something is asked of its value.
    fileprivate func everybody(_ fields: [IdentityField]) -> IdentityField? {
        guard match.values.allSatisfy({ $0.contains(where: \.isOnlyStars) }) else { return nil }
        return fields.first { match[$0] != nil }
    }

    /// A pattern such as `spiffe://**`, if nothing else narrows the entry.
    fileprivate var everyTrustDomain: Glob? {
        guard match.count == 1 else { return nil }
        return match[.uri]?.first { pattern in
            guard !pattern.isOnlyStars, pattern.literal == nil else { return false }
            let text = Array(pattern.description.utf8)
            guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
                text[..<colon].allSatisfy({ $0 != UInt8(ascii: "*") })
            else { return false }
            return text[colon...].dropFirst().allSatisfy { "/*".utf8.contains($0) }
        }
    }

    /// Patterns for hashes that no hash matches.
    fileprivate var impossible: [(IdentityField, Glob)] {
        let fields: [IdentityField] = [.fingerprint, .publicKey]
        return fields.flatMap { field in
            (match[field] ?? []).filter { pattern in
                guard let text = pattern.literal else { return false }
                return text.count != 64 || !text.allSatisfy { "0123456789abcdef".utf8.contains($0) }
            }.map { (field, $0) }
        }
    }

    fileprivate var announcesAnything: Bool {
        switch context {
        case .announced(let patterns): patterns.contains(where: \.isAny)
        case .announcedObject(let members): members.allSatisfy { $0.value.contains(where: \.isAny) }
        case .assigned, .assignedObject: false
        }
    }

    /// The rule that allows to call everything. With something denied, somebody has thought about it.
    fileprivate var everything: AccessPolicy.Rule? {
        let rules = policy.rules.filter { $0.direction == .fromClient }
        guard !rules.contains(where: { $0.effect == .deny }) else { return nil }
        return rules.first { $0.channel.isAny && $0.call.contains(where: \.isAny) && $0.conditions.isEmpty }
    }
}
