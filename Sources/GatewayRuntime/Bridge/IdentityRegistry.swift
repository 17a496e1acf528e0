// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Synchronization

/// Finds what the connections of an identity share. Its methods may be called from any thread.
final class IdentityRegistry: Sendable {
    private struct Key: Hashable {
        // Entries are known by their places in one configuration.
        var generation: Int
        var entry: Int
        var field: IdentityField
        // As bytes: two spellings of a name are two identities.
        var value: [UInt8]
    }

    private struct State {
        var loads: [Key: IdentityLoad] = [:]
        var tidyAt = 1024
    }

    private let state = Mutex(State())

    /// Counts one client more of an identity.
    ///
    /// - Returns: What it shares with the others, to be given back with `removeClient`; nil when there are too many.
    func claim(
        _ resolution: IdentityMap.Resolution,
        _ limits: ClientLimits.Shared,
        generation: Int,
        at now: UInt64
    ) -> IdentityLoad? {
        let load = load(of: resolution, limits, generation: generation, at: now)
        return load.addClient() ? load : nil
    }

    /// What the clients of an identity share by a configuration.
    func load(
        of resolution: IdentityMap.Resolution,
        _ limits: ClientLimits.Shared,
        generation: Int,
        at now: UInt64
    ) -> IdentityLoad {
        let key = Key(
            generation: generation,
            entry: resolution.entry,
            field: resolution.field,
            value: Array(resolution.value.utf8)
        )
        return state.withLock { state in
            if let load = state.loads[key] { return load }
            if state.loads.count >= state.tidyAt {
                // A rate that has been used up is remembered, or coming back would be a way around it.
                state.loads = state.loads.filter { !$0.value.isIdle(at: now) }
                state.tidyAt = max(1024, 2 * state.loads.count)
            }
            let load = IdentityLoad(limits: limits)
            state.loads[key] = load
            return load
        }
    }
}
