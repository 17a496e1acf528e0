// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOCore
internal import TLSEngine

/// Finds out which protocol a client speaks, and puts the handler in place that speaks it: with TLS when the handshake is
/// complete, without at once, since nobody is asked there.
final class ProtocolChooser: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let setup: ChannelSetup
    private let host: SessionHost
    private let plain: (PlainHandler) -> Void
    private let encryption: TLSHandler?
    private var hasChosen = false

    /// - Parameters:
    ///   - setup: What is installed.
    ///   - host: Gets connections of the persistent protocol.
    ///   - plain: Gets connections of the plain protocol.
    init(_ setup: ChannelSetup, host: SessionHost, plain: @escaping (PlainHandler) -> Void) {
        self.setup = setup
        self.host = host
        self.plain = plain
        encryption = setup.makeEncryption()
    }

    /// Puts everything into a channel. On its event loop.
    func install(in channel: any NIOCore.Channel) throws {
        guard let encryption else { return try add(SessionLink(tls: nil), to: channel) }
        try channel.pipeline.syncOperations.addHandler(encryption)
        try channel.pipeline.syncOperations.addHandler(self)
    }

    private func add(_ link: SessionLink, to channel: any NIOCore.Channel) throws {
        try channel.pipeline.syncOperations.addHandler(link)
        let host = host
        link.callWhenReady { result in
            if case .success = result { host.greet(link) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let security = event as? ConnectionFacts.Security, !hasChosen {
            hasChosen = true
            do {
                if security.negotiated?.applicationProtocol == PersistentConnection.applicationProtocol {
                    try add(SessionLink(tls: encryption), to: context.channel)
                } else {
                    let handler = PlainHandler(options: setup.options, tls: encryption)
                    try context.channel.pipeline.syncOperations.addHandler(handler)
                    plain(handler)
                }
            } catch {
                context.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard hasChosen else { return context.close(promise: nil) }
        context.fireErrorCaught(error)
    }
}

@available(*, unavailable)
extension ProtocolChooser: Sendable {}
