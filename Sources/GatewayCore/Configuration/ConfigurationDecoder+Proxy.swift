// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `proxy:` of a listener.
extension ConfigurationDecoder {
    private static let whatNetworks = "addresses and networks of proxies, as in [127.0.0.1, 10.0.0.0/8, \"::1\"]"

    /// The addresses from which connections must begin with a header of the PROXY protocol.
    mutating func decodeProxy(_ listener: ConfigurationReader.Section) -> [IPNetwork] {
        guard let node = listener.members["proxy"] else { return [] }
        let path = listener.path(of: "proxy")
        if listener.members["unix"] != nil {
            reader.report(node, path, "is for an address; who connects to a Unix socket is said by the kernel")
            return []
        }
        guard let section = reader.section(node, path, known: ["from"]),
            let list = reader.required(section, "from", Self.whatNetworks),
            let items = reader.list(list, section.path(of: "from"), of: Self.whatNetworks)
        else { return [] }
        if items.isEmpty { reader.report(list, section.path(of: "from"), "is empty; expected \(Self.whatNetworks)") }
        return items.compactMap { decodeNetwork($0.node, $0.path) }
    }

    private mutating func decodeNetwork(_ node: Node, _ path: String) -> IPNetwork? {
        guard let text = reader.plainText(node, path, Self.whatNetworks) else { return nil }
        do throws(IPNetwork.Problem) {
            let network = try IPNetwork(text)
            if network.isEverything {
                reader.warn(node, path, "lets everybody say what his address is; name the proxies")
            }
            return network
        } catch {
            switch error {
            case .syntax:
                reader.report(node, path, "expected an address or a network, as in 10.0.0.0/8, not '\(text)'")
            case .hostBits(let network):
                reader.report(node, path, "'\(text)' has bits beyond its prefix; the network is \(network)")
            }
            return nil
        }
    }
}
