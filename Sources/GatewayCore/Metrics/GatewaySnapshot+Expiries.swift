// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

extension GatewaySnapshot {
    /// What ends when of what listeners show and trust, and of what is for peers: the soonest first, each once.
    public var expiries: [TLSExpiry] {
        let all = listeners.indices.flatMap { tlsContext(of: $0)?.expiries ?? [] } + (peerContext?.expiries ?? [])
        var seen: Set<TLSExpiry> = []
        return all.filter { seen.insert($0).inserted }.sorted { ($0.time, $0.name) < ($1.time, $1.name) }
    }
}
