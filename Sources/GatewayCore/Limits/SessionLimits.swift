// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Bounds on sessions that outlive their connections (`sessions:`).
public struct SessionLimits: Sendable, Hashable {
    /// Whether clients may have such sessions at all.
    public var isOffered: Bool
    /// How long a session waits for its client after a loss, in nanoseconds, where its entry does not say otherwise.
    public var graceTime: UInt64
    /// What may be on its way to a client and not acknowledged. Then its servers are not read any more.
    public var window: SessionWindow
    /// Sessions that wait for their clients, over all threads.
    public var detached: Int
    /// Bytes that all sessions keep for their clients together. At the bound no session that keeps much is given more, and one
    /// whose client is lost then is not kept.
    public var keptBytes: Int
    /// The same for the sessions of one identity.
    public var perIdentity: Shared

    /// Bounds on what the sessions of one identity share.
    public struct Shared: Sendable, Hashable {
        /// Sessions that wait for their clients.
        public var detached: Int
        /// Bytes that they keep for their clients together.
        public var keptBytes: Int

        /// Makes a pair of bounds.
        public init(detached: Int = 64, keptBytes: Int = 128 << 20) {
            self.detached = detached
            self.keptBytes = keptBytes
        }
    }

    /// Makes a set of limits; the defaults are those of docs/configuration.md.
    public init(
        isOffered: Bool = true,
        graceTime: UInt64 = 300_000_000_000,
        window: SessionWindow = SessionSettings().window,
        detached: Int = 10_000,
        keptBytes: Int = 512 << 20,
        perIdentity: Shared = Shared()
    ) {
        self.isOffered = isOffered
        self.graceTime = graceTime
        self.window = window
        self.detached = detached
        self.keptBytes = keptBytes
        self.perIdentity = perIdentity
    }
}
