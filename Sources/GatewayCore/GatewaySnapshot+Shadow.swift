// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

extension GatewaySnapshot {
    /// What the shadow policy lets a client do, to be judged beside the live one once its context has been accepted.
    ///
    /// - Parameters:
    ///   - identity: What proves who the client is.
    ///   - announced: The encoded context that it announces.
    ///   - context: The context that it has been given.
    /// - Returns: nil when there is no `shadow:` section. A policy that denies everything when the shadow's entries do not
    ///   know the client, know it twice, or give it another context.
    public func shadowPolicy(
        for identity: PeerIdentity,
        announced: Span<UInt8>,
        context: IPCValue
    ) -> AccessPolicy? {
        configuration.shadow?.policy(
            for: identity,
            announced: announced,
            context: context,
            limits: configuration.limits.wire
        )
    }
}
