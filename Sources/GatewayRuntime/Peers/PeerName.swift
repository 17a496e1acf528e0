// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

extension Gateway {
    /// The gateway's name among its peers: the configuration's, or the host's; nil without peers.
    static func peerName(_ snapshot: GatewaySnapshot) throws(GatewayStartError) -> String? {
        guard let peers = snapshot.configuration.peers else { return nil }
        if let name = peers.name { return name }
        var bytes = [CChar](repeating: 0, count: 256)
        let isRead = gethostname(&bytes, bytes.count - 1) == 0
        let name = String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard isRead, PeerSettings.isName(name) else {
            throw GatewayStartError("the host's name, '\(name)', cannot be the gateway's; write peers.name")
        }
        return name
    }
}
