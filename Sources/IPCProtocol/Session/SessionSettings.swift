// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a persistent session keeps to. The defaults of all times are VS Code's; times are in nanoseconds.
public struct SessionSettings: Sendable, Hashable {
    /// How forms are treated that VS Code itself does not write.
    public enum Mode: Sendable, Hashable {
        /// They are refused, and end the session.
        case strict
        /// They are read as VS Code reads them, which refuses nothing: unknown types of frames, frames with a body where
        /// there is none, messages without a sequence number, and whatever follows Disconnect.
        ///
        /// One is refused even so: an acknowledgement of what was never sent, after which VS Code never releases
        /// anything again.
        case lenient
    }

    /// How odd forms are treated.
    public var mode: Mode
    /// Bounds on what is read; only ``IPCLimits/frameBytes`` matters here.
    public var limits: IPCLimits
    /// The largest body of a Control frame that is read or sent, in bytes.
    public var controlBytes: Int
    /// What may be sent and not acknowledged before ``PersistentSession/canSend`` says no.
    public var window: SessionWindow
    /// What may be sent beyond the window by those who cannot wait; then the session ends with `limit`.
    public var reserve: SessionWindow
    /// What is received and then acknowledged at once. Nil, as VS Code has it, leaves that to time alone.
    public var acknowledgesEarlyAt: SessionWindow?
    /// An Ack frame is sent so long after the last message, if nothing else has acknowledged it.
    public var acknowledgeAfter: UInt64
    /// … and at the latest so long after the first one. With keep-alives on they are what comes first.
    public var acknowledgeAtMostAfter: UInt64
    /// KeepAlive frames are sent so often, whatever else is sent; nil for never.
    public var keepAlive: UInt64?
    /// The peer is taken for dead after so long without a byte from it, while something waits for its acknowledgement.
    public var timeOut: UInt64
    /// A replay is asked for at most once in so long on one connection.
    public var replayRequestSpacing: UInt64
    /// A replay is made at most once in so long on one connection; VS Code makes as many as it is asked for.
    public var replaySpacing: UInt64
    /// Whether the peer may make this side stop writing.
    public var acceptsPause: Bool
    /// The last sequence number that is given to a message.
    public var highestID: UInt32

    /// Makes settings; what is not given has its default.
    ///
    /// - Parameters:
    ///   - mode: How odd forms are treated.
    ///   - limits: Bounds on what is read.
    ///   - window: What may be unacknowledged: 65,536 messages and 32 MiB.
    ///   - reserve: What may be sent beyond: 1,024 messages and 1 MiB.
    ///   - acknowledgesEarlyAt: What is received and then acknowledged at once; nil for VS Code's timing.
    ///   - keepAlive: Five seconds; nil for none.
    public init(
        mode: Mode = .strict,
        limits: IPCLimits = IPCLimits(),
        window: SessionWindow = SessionWindow(messages: 65_536, bytes: 32 << 20),
        reserve: SessionWindow = SessionWindow(messages: 1_024, bytes: 1 << 20),
        acknowledgesEarlyAt: SessionWindow? = nil,
        keepAlive: UInt64? = 5_000_000_000
    ) {
        self.mode = mode
        self.limits = limits
        self.window = window
        self.reserve = reserve
        self.acknowledgesEarlyAt = acknowledgesEarlyAt
        self.keepAlive = keepAlive
        controlBytes = 4_096
        acknowledgeAfter = 2_000_000_000
        acknowledgeAtMostAfter = 5_000_000_000
        timeOut = 20_000_000_000
        replayRequestSpacing = 10_000_000_000
        replaySpacing = 5_000_000_000
        acceptsPause = true
        highestID = .max
    }
}
