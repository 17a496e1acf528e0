// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// `shadow:`, client entries that are judged beside the live ones and decide nothing.
public struct ShadowPolicy: Sendable {
    /// The entries, with the rules of the shadow's own roles.
    public let clients: [GatewayConfiguration.Client]
    /// Who is who.
    public let identityMap: IdentityMap

    private static let nothing = AccessPolicy()

    init(clients: [GatewayConfiguration.Client], fields: [IdentityField]) {
        self.clients = clients
        identityMap = IdentityMap(fields: fields, clients: clients)
    }

    /// What a client could do if this were the live policy.
    ///
    /// - Parameters:
    ///   - identity: What proves who the client is.
    ///   - announced: The encoded context that it announces, which ``ValueWalker`` has accepted.
    ///   - context: The context that the live entry gives it.
    ///   - limits: The bounds that the announced context was accepted with.
    /// - Returns: A policy that denies everything when no entry, or more than one, is the client's, or when the entry gives
    ///   it another context: the client would be refused, or be somebody else to its server.
    public func policy(
        for identity: PeerIdentity,
        announced: Span<UInt8>,
        context: IPCValue,
        limits: IPCLimits
    ) -> AccessPolicy {
        do throws(CloseReason) {
            let resolution = try identityMap.resolve(identity)
            let own = try resolution.grant.context(announced: announced, limits: limits)
            return own == context ? clients[resolution.entry].policy : Self.nothing
        } catch {
            return Self.nothing
        }
    }
}

extension IdentityMap {
    /// The map of client entries.
    init(fields: [IdentityField], clients: [GatewayConfiguration.Client]) {
        self.init(fields: fields, entries: clients.map { Entry(match: $0.match, context: $0.context) })
    }
}
