// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
internal import NIOPosix

/// The bounds and deadlines of connections over sockets, and the threads that they live on.
public struct TransportOptions: Sendable {
    /// The largest message that is received, in bytes; a frame that announces more ends the connection as malformed.
    /// 64 MiB and room for a header.
    public var maximumMessageBytes = 64 * 1_024 * 1_024 + 64 * 1_024

    /// From how many bytes waiting on a connection is congested, 1 MiB; until half of that it stays so. The last 256 KiB
    /// that were handed to the system do not count.
    public var highWaterMark = 1_024 * 1_024

    /// How many bytes may wait at most, 256 MiB: what is sent beyond ends the connection, since the peer does not read.
    public var maximumPendingBytes = 256 * 1_024 * 1_024

    /// For how long a peer may take nothing of what waits for it, 60 s; a quarter more passes at most before it is
    /// noticed.
    public var stallTimeout = Duration.seconds(60)

    /// For how long a connection that is being closed goes on: while what was sent before leaves, as long as the peer
    /// takes some of it within this time, and then until the peer closes its side. 5 s.
    public var lingerTimeout = Duration.seconds(5)

    /// In place of ``lingerTimeout`` while what was sent before leaves over a plain connection.
    package var leavingTimeout: Duration?

    /// Within what time a connection has to be established, the TLS handshake included, 10 s. Only for a client.
    public var connectTimeout = Duration.seconds(10)

    /// Within what time a TLS handshake has to be complete, 10 s.
    public var handshakeTimeout = Duration.seconds(10)

    /// The threads that connections live on.
    public var eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

    /// Creates options with the defaults; see the properties.
    public init() {}
}
