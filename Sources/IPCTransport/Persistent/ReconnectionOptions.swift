// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// How a client keeps its session: when it dials again, and what the session keeps to.
public struct ReconnectionOptions: Sendable {
    /// How long to wait between the attempts.
    public var backOff: BackOff
    /// How long the answer to `connect` may take once the connection is there, 10 s.
    public var answerTimeout: Duration
    /// What the session keeps to. Its ``IPCProtocol/SessionSettings/limits`` are replaced by
    /// ``TransportOptions/maximumMessageBytes``.
    public var session: SessionSettings
    /// Where the jitter comes from: a number from 0 to 1 each time.
    public var chance: @Sendable () -> Double

    /// Makes options; what is not given has its default.
    ///
    /// - Parameters:
    ///   - backOff: At once, then 250 ms, growing to 30 s.
    ///   - answerTimeout: 10 s.
    ///   - session: The library's own, which acknowledge early; see ``defaultSession``.
    ///   - chance: The system's random numbers.
    public init(
        backOff: BackOff = BackOff(),
        answerTimeout: Duration = .seconds(10),
        session: SessionSettings = Self.defaultSession,
        chance: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.backOff = backOff
        self.answerTimeout = answerTimeout
        self.session = session
        self.chance = chance
    }

    /// VS Code's times and the usual window; what is received is acknowledged early.
    public static var defaultSession: SessionSettings {
        var settings = SessionSettings()
        settings.acknowledgesEarlyAt = settings.window.early
        return settings
    }
}
