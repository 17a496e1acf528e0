// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the audit log says of a connection at its end.
public struct AuditClose: Sendable, Equatable {
    /// The name of the reason, as in ``CloseReason/Code``.
    public var reason: String
    /// Bytes received from the client's network.
    public var bytesIn: Int
    /// Bytes sent there.
    public var bytesOut: Int
    /// Frames of the client that passed.
    public var framesIn: Int
    /// Frames to the client that passed.
    public var framesOut: Int
    /// Requests, in both directions, whatever became of them.
    public var calls: Int
    /// Requests that were denied.
    public var denied: Int
    /// Answers, events and cancellations that belonged to nothing and were dropped.
    public var strays: Int
    /// When the connection was accepted, in the reactor's time (nanoseconds).
    public var openedAt: UInt64
    /// When it ended.
    public var closedAt: UInt64

    /// Describes an end; see the properties.
    public init(
        reason: String,
        bytesIn: Int = 0,
        bytesOut: Int = 0,
        framesIn: Int = 0,
        framesOut: Int = 0,
        calls: Int = 0,
        denied: Int = 0,
        strays: Int = 0,
        openedAt: UInt64,
        closedAt: UInt64
    ) {
        self.reason = reason
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.framesIn = framesIn
        self.framesOut = framesOut
        self.calls = calls
        self.denied = denied
        self.strays = strays
        self.openedAt = openedAt
        self.closedAt = closedAt
    }
}
