// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Bounds on what one connection may send and hold.
public struct GatewayLimits: Sendable, Hashable {
    /// Bounds on frames and values, in both directions.
    public var wire: IPCLimits
    /// Bytes of the first frame a client sends, its context.
    public var contextBytes: Int
    /// Bytes queued towards one side before the gateway stops reading from the other. One read's worth may be added.
    public var queueBytes: Int

    /// Clients with an accepted context, over all threads.
    public var clients: Int
    /// Connections whose context has not been accepted, over all threads; beyond it the oldest makes room.
    public var newcomers: Int
    /// Bytes of incomplete frames, over all connections.
    public var incompleteBytes: Int
    /// What one client may have open and how fast it may be, where its entry does not say otherwise.
    public var client: ClientLimits

    /// Makes a set of limits; the defaults are those of docs/configuration.md.
    public init(
        wire: IPCLimits = IPCLimits(),
        contextBytes: Int = 4096,
        queueBytes: Int = 1 << 20,
        clients: Int = 10_000,
        newcomers: Int = 1024,
        incompleteBytes: Int = 256 << 20,
        client: ClientLimits = ClientLimits()
    ) {
        self.wire = wire
        self.contextBytes = contextBytes
        self.queueBytes = queueBytes
        self.clients = clients
        self.newcomers = newcomers
        self.incompleteBytes = incompleteBytes
        self.client = client
    }
}

/// Deadlines, in nanoseconds.
public struct GatewayTimeouts: Sendable, Hashable {
    /// From accept to the end of the TLS handshake.
    public var handshake: UInt64
    /// From the end of the handshake (without TLS: from accepting) to the client's context frame.
    public var context: UInt64
    /// From the first byte of a client's frame to its last, with a second more for every 64 KiB of it.
    public var frame: UInt64
    /// Without a byte from either side; nil for no such deadline.
    public var idle: UInt64?
    /// While something is queued for a side: without its taking a byte.
    public var stall: UInt64
    /// From dialling a local server to its `Initialize`.
    public var upstream: UInt64
    /// After one side has finished sending: how long the other may stay silent before the connection is cut.
    public var drain: UInt64

    /// Makes a set of deadlines; the defaults are those of docs/configuration.md.
    public init(
        handshake: UInt64 = 10_000_000_000,
        context: UInt64 = 10_000_000_000,
        frame: UInt64 = 30_000_000_000,
        idle: UInt64? = nil,
        stall: UInt64 = 300_000_000_000,
        upstream: UInt64 = 5_000_000_000,
        drain: UInt64 = 30_000_000_000
    ) {
        self.handshake = handshake
        self.context = context
        self.frame = frame
        self.idle = idle
        self.stall = stall
        self.upstream = upstream
        self.drain = drain
    }
}
