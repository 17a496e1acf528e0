// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import TLSEngine

/// How a channel becomes a connection.
struct ChannelSetup: Sendable {
    let options: TransportOptions
    var tls: TLSContext?
    var serverName: String?

    /// The name of the plain protocol in TLS's negotiation of application protocols.
    static let applicationProtocol = "vscode-ipc"

    /// What a client or server speaks over TLS when its configuration does not say.
    ///
    /// - Throws: `TLSConfigurationError` with what is wrong.
    static func makeContext(
        _ configuration: TLSConfiguration,
        _ role: TLSConfiguration.Role,
        _ applicationProtocols: [String] = [applicationProtocol]
    ) throws(TLSConfigurationError) -> TLSContext {
        var configuration = configuration
        guard configuration.role == role else {
            let wanted = role == .server ? "server" : "client"
            throw TLSConfigurationError(message: "a configuration for a \(wanted) is needed (role: .\(wanted))")
        }
        if configuration.applicationProtocols.isEmpty {
            configuration.applicationProtocols = applicationProtocols
        }
        if let source = configuration.contextSource { return try source(configuration) }
        return try TLSContext(configuration)
    }

    /// Puts the handlers into a channel. On its event loop.
    func install(in channel: any NIOCore.Channel) throws -> PlainHandler {
        let encryption = makeEncryption()
        let handler = PlainHandler(options: options, tls: encryption)
        if let encryption { try channel.pipeline.syncOperations.addHandler(encryption) }
        try channel.pipeline.syncOperations.addHandler(handler)
        return handler
    }

    /// Puts the handlers of the persistent protocol into a channel. On its event loop.
    @discardableResult
    func installLink(in channel: any NIOCore.Channel) throws -> SessionLink {
        let encryption = makeEncryption()
        let link = SessionLink(tls: encryption)
        if let encryption { try channel.pipeline.syncOperations.addHandler(encryption) }
        try channel.pipeline.syncOperations.addHandler(link)
        return link
    }

    /// What encrypts; nil without TLS.
    func makeEncryption() -> TLSHandler? {
        tls.map { TLSHandler(context: $0, serverName: serverName, timeout: TimeAmount(options.handshakeTimeout)) }
    }

    /// The options of every channel: reading begins when somebody takes the messages, and a peer that has finished
    /// still gets its answers.
    func apply(to channel: any NIOCore.Channel) throws {
        guard let settable = channel.syncOptions else { return }
        try settable.setOption(.autoRead, value: false)
        try settable.setOption(.allowRemoteHalfClosure, value: true)
        try settable.setOption(.writeBufferWaterMark, value: waterMark)
    }

    /// The options with which TCP finds out that a peer is gone without a word, which this protocol does not: after a
    /// minute of silence it asks, and gives up after another.
    static var keepAlive: [(option: ChannelOptions.Types.SocketOption, value: SocketOptionValue)] {
        var options: [(option: ChannelOptions.Types.SocketOption, value: SocketOptionValue)] = [
            (ChannelOptions.socketOption(.so_keepalive), 1)
        ]
        for (name, value) in SystemCalls.keepAliveTimes {
            options.append((ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: name)), Int(value)))
        }
        return options
    }

    private var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
        let high = max(2, min(256 * 1_024, options.highWaterMark))
        return ChannelOptions.Types.WriteBufferWaterMark(low: high / 4, high: high)
    }
}
