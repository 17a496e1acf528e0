// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `shadow:`, roles and clients that are judged beside the live ones.
extension ConfigurationDecoder {
    mutating func decodeShadow(
        _ document: ConfigurationReader.Section,
        upstreams: [GatewayConfiguration.Upstream],
        fields: [IdentityField],
        limits: ClientLimits
    ) -> ShadowPolicy? {
        guard let node = document.members["shadow"],
            let section = reader.section(node, "shadow", known: ["roles", "clients"])
        else { return nil }
        // Its rules are mostly copies of live ones, and keep their names.
        ruleNames = [:]
        let clients = decodeClients(section, upstreams: upstreams, fields: fields, limits: limits)
        return ShadowPolicy(clients: clients, fields: fields)
    }
}
