// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// How much may be sent and not yet acknowledged.
///
/// A peer like VS Code acknowledges a one-way stream every five seconds only, so for it the window is what can be sent in
/// five seconds. The memory of a window is used when it is needed, not before.
public struct SessionWindow: Sendable, Hashable {
    /// Messages.
    public var messages: Int
    /// Bytes of frames, 13 for each header included.
    public var bytes: Int

    /// Makes a window.
    ///
    /// - Parameters:
    ///   - messages: How many messages.
    ///   - bytes: How many bytes of frames, 13 for each header included.
    public init(messages: Int, bytes: Int) {
        self.messages = messages
        self.bytes = bytes
    }

    /// A quarter of it: what is received before it is acknowledged early, when the peer has such a window too.
    public var quarter: SessionWindow {
        SessionWindow(messages: max(1, messages / 4), bytes: max(1, bytes / 4))
    }

    /// What is received before it is acknowledged early, when nothing is known of the peer's window: a quarter of this one,
    /// and at most 1,024 messages or 256 KiB, which costs nothing to speak of and leaves a peer with a small window going.
    public var early: SessionWindow {
        SessionWindow(messages: min(quarter.messages, 1_024), bytes: min(quarter.bytes, 256 << 10))
    }
}
