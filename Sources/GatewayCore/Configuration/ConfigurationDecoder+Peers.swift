// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `peers:`.
extension ConfigurationDecoder {
    mutating func decodePeers(
        _ document: ConfigurationReader.Section,
        _ listeners: [GatewayConfiguration.Listener]
    ) -> PeerSettings? {
        let isServed = listeners.first { $0.isForPeers }
        guard let node = document.members["peers"] else {
            if let isServed {
                let message = "a listener is for peers (line \(isServed.line)), so 'peers' has to say who they are"
                reader.report(document.node, document.path, message)
            }
            return nil
        }
        let known = ["name", "gateways", "tls", "match", "timeout"]
        guard let section = reader.section(node, "peers", known: known) else { return nil }
        let name = section.members["name"].flatMap { decodeName($0, section.path(of: "name")) }
        let gateways = decodeGateways(section)
        let tls = reader.required(section, "tls", "a mapping with certificate, key and ca")
            .flatMap { decodePeerTLS($0, section.path(of: "tls")) }
        let what = "whose certificates may bring clients, as in  match: { uri: \"spiffe://example.org/gateway/*\" }"
        let match = reader.required(section, "match", what)
            .flatMap { decodeMatch($0, section.path(of: "match"), fields: IdentityField.ofCertificates) }
        let timeout = section.members["timeout"].flatMap { reader.duration($0, section.path(of: "timeout")) }
        if isServed == nil {
            reader.warn(
                node,
                "peers",
                "no listener is 'for: peers', so the others cannot bring this gateway its clients"
            )
        }
        guard let tls, let match else { return nil }
        return PeerSettings(
            name: name,
            gateways: gateways,
            tls: tls,
            match: match,
            timeout: timeout ?? PeerSettings.standardTimeout,
            line: node.mark?.line ?? 0
        )
    }

    private mutating func decodeName(_ node: Node, _ path: String) -> String? {
        let what = "a name of at most \(PeerSettings.nameBytes) letters, digits, '-', '_' and '.'"
        guard let text = reader.text(node, path, what) else { return nil }
        guard PeerSettings.isName(text) else {
            reader.report(node, path, "expected \(what), not '\(text)'")
            return nil
        }
        return text
    }

    private mutating func decodeGateways(_ section: ConfigurationReader.Section) -> [PeerSettings.Gateway] {
        let what = "the gateways' names and addresses, as in  gateways: { gw-1: gw-1.example.org:7444 }"
        let path = section.path(of: "gateways")
        guard let node = reader.required(section, "gateways", what),
            let members = reader.mapping(node, path, of: what)
        else { return [] }
        if members.isEmpty { reader.report(node, path, "is empty; expected \(what)") }
        var gateways: [PeerSettings.Gateway] = []
        for (key, value, keyNode) in members {
            guard let name = decodeName(keyNode, "\(path).\(key)"),
                let text = reader.plainText(value, "\(path).\(key)", "HOST:PORT")
            else { continue }
            if let address = HostAndPort(text), address.port != nil {
                gateways.append(PeerSettings.Gateway(name: name, address: address))
            } else {
                reader.report(value, "\(path).\(key)", "expected HOST:PORT, not '\(text)'")
            }
        }
        return gateways
    }

    private mutating func decodePeerTLS(_ node: Node, _ path: String) -> PeerSettings.TLS? {
        guard let section = reader.section(node, path, known: ["certificate", "key", "keyPassphrase", "ca"]) else {
            return nil
        }
        let certificate = requiredText(
            section,
            "certificate",
            "the path of what this gateway shows its peers, a PEM file"
        )
        let key = requiredText(section, "key", "the path of the certificate's private key, a PEM file")
        let ca = requiredText(
            section,
            "ca",
            "the path of the authorities that peers' certificates come from, a PEM file"
        )
        let passphrase = section.members["keyPassphrase"]
            .flatMap { decodePassphrase($0, section.path(of: "keyPassphrase")) }
        guard let certificate, let key, let ca else { return nil }
        return PeerSettings.TLS(certificate: certificate, key: key, keyPassphrase: passphrase, ca: ca)
    }
}
