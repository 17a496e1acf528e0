// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The deadlines of a bridge; `UInt64.max` is never.
struct BridgeDeadlines {
    /// For the handshake, then for the context.
    var client = UInt64.max
    /// For the rest of a frame that has begun.
    var frame = UInt64.max
    /// For anything at all to come.
    var idle = UInt64.max
    /// For the client to take something of what is queued for it.
    var clientStall = UInt64.max
    /// For the server to take something of what is queued for it.
    var upstreamStall = UInt64.max
    /// For the server's `Initialize`.
    var upstream = UInt64.max
    /// For dialling again a server whose queue was full.
    var redial = UInt64.max
    /// For the second side to finish, or for a closing client to be gone.
    var closing = UInt64.max

    var next: UInt64 { min(client, frame, idle, clientStall, upstreamStall, upstream, redial, closing) }
}

/// A frame that has begun.
struct PendingFrame {
    /// When its first byte came, or the gateway began to read again.
    var began: UInt64
    /// How long it will be.
    var byteCount: Int

    /// When its last byte must have come: a second more for every 64 KiB, so that slow lines can send large frames.
    func deadline(_ timeout: UInt64) -> UInt64 {
        began + timeout + UInt64(byteCount / (64 << 10)) * 1_000_000_000
    }
}

/// Notices when nothing of a queue is taken any more.
struct StallWatch {
    private var sent = 0
    private var since: UInt64?

    /// - Returns: Since when the queue has not become shorter; nil when it is empty.
    mutating func update(queued: Int, sent: Int, at now: UInt64) -> UInt64? {
        if queued == 0 {
            since = nil
        } else if since == nil || sent != self.sent {
            since = now
        }
        self.sent = sent
        return since
    }
}
