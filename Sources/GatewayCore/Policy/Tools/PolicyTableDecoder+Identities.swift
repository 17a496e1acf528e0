// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine
internal import Yams

/// `as:`, identities that are made up or read from certificates.
extension PolicyTableDecoder {
    mutating func decodeIdentities(_ node: Node) {
        guard let members = decoder.reader.mapping(node, "as", of: "a name for each identity") else { return }
        for (name, node, _) in members {
            let source = decodeSource(node, "as.\(name)") ?? .fields(.certificate(CertificateIdentity()))
            // One with a mistake is known all the same, or each line that names it would be reported too.
            identities.append(PolicyTable.Identity(name: name, source: source, line: node.mark?.line ?? 0))
        }
    }

    private mutating func decodeSource(_ node: Node, _ path: String) -> PolicyTable.Source? {
        let fields = IdentityField.allCases.map(\.rawValue) + ["serial"]
        guard let section = decoder.reader.section(node, path, known: ["certificate"] + fields) else { return nil }
        if section.members["certificate"] != nil {
            if section.members.count > 1 {
                decoder.reader.report(node, path, "has a certificate, and so all of its fields; leave out the others")
            }
            return decoder.requiredText(section, "certificate", "a certificate's file").map { .certificate($0) }
        }
        let local = IdentityField.ofLocalClients.map(\.rawValue)
        if section.members.keys.contains(where: local.contains) { return decodeLocalClient(section) }
        var identity = CertificateIdentity()
        for (name, node) in section.members {
            guard let values = decodeTexts(node, section.path(of: name), "a value of the certificate") else { continue }
            let field = IdentityField(rawValue: name)
            if field.map({ [.fingerprint, .publicKey].contains($0) }) ?? true, values.count > 1 {
                decoder.reader.report(node, section.path(of: name), "a certificate has one \(name)")
            }
            guard let field else {
                identity.serialNumber = serial(values[0], node, section.path(of: name))
                continue
            }
            field.set(values, in: &identity)
        }
        return .fields(.certificate(identity))
    }

    private mutating func serial(_ text: String, _ node: Node, _ path: String) -> String {
        if let serial = DenyList.parseSerial(text) { return serial }
        let message = "expected a serial number in hexadecimal, as 'ipc-gateway certs inspect' prints it, not '\(text)'"
        decoder.reader.report(node, path, message)
        return ""
    }

    /// What the kernel would say of a local client, who is in the groups that are given and in no others.
    private mutating func decodeLocalClient(_ section: ConfigurationReader.Section) -> PolicyTable.Source? {
        let local = IdentityField.ofLocalClients.map(\.rawValue)
        for (name, node) in section.members where !local.contains(name) {
            let message = "no client has this and \(local.joined(separator: ", ")): those are of local clients"
            decoder.reader.report(node, section.path(of: name), message)
        }
        func ids(_ key: String) -> [UInt32] {
            guard let node = section.members[key],
                let texts = decodeTexts(node, section.path(of: key), "a number")
            else { return [] }
            return texts.compactMap { text in
                if let id = LocalPeer.id(text) { return id }
                let message = "expected a number such as 1000, as 'id' prints it, not '\(text)'"
                decoder.reader.report(node, section.path(of: key), message)
                return nil
            }
        }
        guard let node = section.members["uid"] else {
            decoder.reader.report(section.node, section.path, "a local client has a uid; add it, as in  uid: 1000")
            return nil
        }
        let users = ids("uid")
        if users.count > 1 {
            decoder.reader.report(node, section.path(of: "uid"), "a local client has one uid; make an identity of each")
        }
        let groups = ids("gid")
        guard let user = users.first else { return nil }
        let path = decoder.optionalText(section, "executable", "the path of a program")
        return .fields(
            .local(
                LocalPeer(
                    userID: user,
                    groupIDs: groups,
                    executable: path.map(LocalPeer.Executable.path) ?? .unknown("the table does not say")
                )
            )
        )
    }

    mutating func decodeIdentity(_ node: Node, _ path: String) -> PolicyTable.Identity? {
        let line = node.mark?.line ?? 0
        if case .mapping = node {
            return decodeSource(node, path).map { PolicyTable.Identity(name: "this identity", source: $0, line: line) }
        }
        guard let name = decoder.reader.text(node, path, "the name of an identity") else { return nil }
        if let known = identities.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) { return known }
        let names = identities.map(\.name)
        let hint =
            Spelling.nearest(to: name, in: names).map { "did you mean '\($0)'?" }
            ?? "add it to as:, as in  \(name): { commonName: \(name) }"
        decoder.reader.report(node, path, "there is no identity '\(name)'; \(hint)")
        return nil
    }

    /// One text, or a list of them.
    mutating func decodeTexts(_ node: Node, _ path: String, _ what: String) -> [String]? {
        if case .sequence = node {
            let texts = decoder.reader.texts(node, path, of: what)
            guard texts?.isEmpty == true else { return texts }
            decoder.reader.report(node, path, "is empty; expected \(what)")
            return nil
        }
        return decoder.reader.text(node, path, what).map { [$0] }
    }
}

extension IdentityField {
    /// Puts values into an identity, in the spelling that certificates are read in.
    fileprivate func set(_ values: [String], in identity: inout CertificateIdentity) {
        switch self {
        case .uri: identity.uris = values
        case .dns: identity.dnsNames = values.map { $0.lowercased() }
        case .email: identity.emailAddresses = values
        case .ip: identity.ipAddresses = values
        case .commonName: identity.commonNames = values
        case .organizationalUnit: identity.organizationalUnits = values
        case .fingerprint: identity.fingerprint = DenyList.parseHash(values[0]) ?? values[0]
        case .publicKey: identity.publicKeyFingerprint = DenyList.parseHash(values[0]) ?? values[0]
        case .uid, .gid, .executable: break
        }
    }
}
