// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOConcurrencyHelpers
internal import Synchronization
internal import TLSEngine

/// What any thread may ask or say about one connection, apart from its ``Outbox``.
final class ConnectionFacts: Sendable {
    /// What a TLS handshake has found out.
    struct Security: Sendable {
        var certificate: CertificateIdentity?
        var negotiated: NegotiatedTLS?
    }

    private let state = NIOLockedValueBox<Security?>(nil)
    private let delivery = Atomic(true)

    /// Whether messages are delivered. What has to be done when it changes is done on the event loop.
    var isDelivering: Bool {
        get { delivery.load(ordering: .relaxed) }
        set { delivery.store(newValue, ordering: .relaxed) }
    }

    /// Nil without TLS, and until the handshake is complete.
    var security: Security? {
        get { state.withLockedValue { $0 } }
        set { state.withLockedValue { $0 = newValue } }
    }
}
