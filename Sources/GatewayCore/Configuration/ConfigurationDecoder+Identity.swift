// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `identity:`.
extension ConfigurationDecoder {
    mutating func decodeIdentity(
        _ document: ConfigurationReader.Section
    ) -> (fields: [IdentityField], denyList: DenyList) {
        guard let node = document.members["identity"],
            let section = reader.section(node, "identity", known: ["from", "deny"])
        else { return (Self.standardFields, DenyList()) }
        let fields = section.members["from"].map { decodeFields($0) } ?? Self.standardFields
        let denyList = section.members["deny"].map { decodeDenyList($0) } ?? DenyList()
        return (fields, denyList)
    }

    private static let standardFields: [IdentityField] = [.uri, .dns, .commonName]

    private mutating func decodeDenyList(_ node: Node) -> DenyList {
        var list = DenyList()
        guard let section = reader.section(node, "identity.deny", known: ["serial", "fingerprint", "publicKey"]) else {
            return list
        }
        let hash = "SHA-256, 64 hexadecimal digits"
        list.serials = denied(section, "serial", "a serial number in hexadecimal", DenyList.parseSerial)
        list.fingerprints = denied(section, "fingerprint", hash, DenyList.parseHash)
        list.publicKeys = denied(section, "publicKey", hash, DenyList.parseHash)
        return list
    }

    private mutating func denied(
        _ section: ConfigurationReader.Section,
        _ key: String,
        _ what: String,
        _ parse: (String) -> String?
    ) -> Set<String> {
        guard let node = section.members[key], let items = reader.list(node, section.path(of: key), of: what) else {
            return []
        }
        var values: Set<String> = []
        for item in items {
            guard let text = reader.text(item.node, item.path, what) else { continue }
            if let value = parse(text) {
                values.insert(value)
            } else {
                reader.report(
                    item.node,
                    item.path,
                    "expected \(what), as 'ipc-gateway certs inspect' prints it, not '\(text)'"
                )
            }
        }
        return values
    }

    private mutating func decodeFields(_ from: Node) -> [IdentityField] {
        guard let items = reader.list(from, "identity.from", of: "certificate fields") else { return [] }
        var fields: [IdentityField] = []
        for item in items {
            if case .scalar(let scalar) = item.node, IdentityField(rawValue: scalar.string)?.source == .local {
                let fields = IdentityField.ofLocalClients.map(\.rawValue).joined(separator: ", ")
                let message =
                    "'\(scalar.string)' is not a certificate's: the fields of local clients are always judged, in the "
                    + "order \(fields); leave it out"
                reader.report(item.node, item.path, message)
                continue
            }
            let known = IdentityField.ofCertificates.map(\.rawValue)
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
}
