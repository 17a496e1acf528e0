// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
internal import IPCProtocol
internal import NIOConcurrencyHelpers
public import NIOCore
public import TLSEngine

/// A session of VS Code's persistent protocol, which outlives its connections: when one is lost another takes its place, and
/// nothing is lost, repeated or reordered. Whoever talks over it notices a pause at most.
///
/// A client's session dials by itself; a server's waits for its client to come back, for a while. Every method may be called
/// from any thread. Messages are delivered on the session's event loop, where nothing may block.
///
/// It lives until it is closed by one side or fails, also when nobody refers to it any more; only one that was never started
/// is closed when it is let go.
public final class PersistentConnection: MessagePassingProtocol {
    /// The protocol's name in TLS's negotiation of application protocols (ALPN).
    public static let applicationProtocol = "vscode-ipc-persistent"

    init() {}

    /// Opens a session, at the first address that lets it in.
    ///
    /// - Parameters:
    ///   - endpoints: Where, in the order in which they are tried. TLS endpoints without application protocols of their own
    ///     ask for ``applicationProtocol``.
    ///   - options: When to dial again, and what the session keeps to.
    ///   - transport: Bounds, deadlines and threads.
    /// - Throws: `ConnectionEnd` when no address lets it in, `TLSConfigurationError` for certificates that cannot be used,
    ///   `CancellationError` when the task is cancelled.
    public static func connect(
        to endpoints: [ClientEndpoint],
        options: ReconnectionOptions = ReconnectionOptions(),
        transport: TransportOptions = TransportOptions()
    ) async throws -> PersistentConnection {
        throw ConnectionEnd(.lost, "not yet")
    }

    // MARK: About it

    /// What becomes of it, from what it is now on. The last 16 that were not taken are kept. It ends with the session.
    public var states: AsyncStream<State> { AsyncStream { $0.finish() } }

    /// How it is doing.
    public var state: State { .connected }

    /// Numbers about it.
    public var statistics: Statistics { Statistics() }

    /// Whose the peer's certificate is, on the last connection. Nil without TLS, and for a client that has shown none.
    public var peerCertificate: CertificateIdentity? { nil }

    /// What the last TLS handshake has agreed upon; nil without TLS.
    public var negotiatedTLS: NegotiatedTLS? { nil }

    /// The peer's address on the last connection.
    public var remoteAddress: SocketAddress? { nil }

    // MARK: MessagePassingProtocol

    /// Starts delivery.
    public func start(delivering receiver: any MessageReceiver) {}

    /// Sends a message. It is kept until the peer has acknowledged it.
    ///
    /// What waits beyond ``TransportOptions/maximumPendingBytes`` ends the session.
    public func send(_ message: [UInt8]) {}

    /// Whether the window of messages that are not acknowledged is full, as it gets while there is no connection.
    public var isCongested: Bool { false }

    /// Waits until ``isCongested`` is false or the session has ended.
    public func drain() async {}

    /// Stops or restarts delivery.
    public func setDelivering(_ isDelivering: Bool) {}

    /// Ends the session: what was sent before leaves, then Disconnect, and the connection is closed. While there is no
    /// connection nothing leaves any more, and the peer keeps its side until the grace time is over.
    public func close(_ end: ConnectionEnd) {}
}
