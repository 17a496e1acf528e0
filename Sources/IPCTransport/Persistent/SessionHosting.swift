// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// How a server keeps the sessions of clients that have lost their connection.
public struct SessionHosting: Sendable {
    /// For how long a session is kept after a loss, 5 minutes.
    public var graceTime: Duration
    /// How many sessions may wait for their client, 1,000. Of more the one that has waited longest is given up.
    public var maximumDetachedSessions: Int
    /// How many sessions there may be, 10,000; more are refused with `limit`.
    public var maximumSessions: Int
    /// What each session keeps to. Its ``IPCProtocol/SessionSettings/limits`` are replaced by
    /// ``TransportOptions/maximumMessageBytes``.
    public var session: SessionSettings

    /// Makes options; what is not given has its default.
    public init(
        graceTime: Duration = .seconds(300),
        maximumDetachedSessions: Int = 1_000,
        maximumSessions: Int = 10_000,
        session: SessionSettings = ReconnectionOptions.defaultSession
    ) {
        self.graceTime = graceTime
        self.maximumDetachedSessions = maximumDetachedSessions
        self.maximumSessions = maximumSessions
        self.session = session
    }
}
