// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOCore
internal import TLSEngine

extension SessionLink {
    /// Connects to a server of the persistent protocol.
    ///
    /// - Throws: What `PlainConnection.connect` throws.
    static func dial(
        _ endpoint: ClientEndpoint,
        options: TransportOptions,
        eventLoop: any EventLoop
    ) async throws -> NIOLoopBound<SessionLink> {
        let dialling = try Dialling<NIOLoopBound<SessionLink>>(
            endpoint,
            applicationProtocol: PersistentConnection.applicationProtocol,
            options: options,
            eventLoop: eventLoop,
            install: { setup, channel in try setup.installLink(in: channel) },
            whenReady: { channel, ready in
                let link = try channel.pipeline.syncOperations.handler(type: SessionLink.self)
                let bound = NIOLoopBound(link, eventLoop: channel.eventLoop)
                link.callWhenReady { result in ready(result.flatMap { link.checkProtocol().map { bound } }) }
            }
        )
        return try await dialling.run()
    }

    /// Checks that an endpoint can be dialled, as far as that does not depend on others.
    ///
    /// - Throws: `TLSConfigurationError`.
    static func check(_ endpoint: ClientEndpoint) throws(TLSConfigurationError) {
        guard case .tls(_, _, let configuration, _) = endpoint.kind else { return }
        _ = try ChannelSetup.makeContext(configuration, .client)
    }

    /// A server that does not choose a protocol at all may speak another one.
    private func checkProtocol() -> Result<Void, ConnectionEnd> {
        guard let negotiated = security?.negotiated, negotiated.applicationProtocol == nil else { return .success(()) }
        let name = PersistentConnection.applicationProtocol
        return .failure(ConnectionEnd(.refused, "the server does not speak the persistent protocol (ALPN \(name))"))
    }
}
