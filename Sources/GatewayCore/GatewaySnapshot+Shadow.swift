// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
public import TLSEngine

extension GatewaySnapshot {
    /// What the shadow policy lets a client do, to be judged beside the live one once its context has been accepted.
    ///
    /// - Parameters:
    ///   - identity: The client's verified certificate.
    ///   - announced: The encoded context that it announces.
    ///   - context: The context that it has been given.
    /// - Returns: nil when there is no `shadow:` section. A policy that denies everything when the shadow's entries do not
    ///   know the client, know it twice, or give it another context.
    public func shadowPolicy(
        for identity: CertificateIdentity,
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
