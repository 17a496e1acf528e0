// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The deadlines of a bridge; `UInt64.max` is never.
struct BridgeDeadlines {
    /// For the handshake, then for the context.
    var client = UInt64.max
    /// For the rest of a frame that has begun.
    var frame = UInt64.max
    /// For a look at how much of it has come, where the socket waits for all.
    var rest = UInt64.max
    /// For anything at all to come.
    var idle = UInt64.max
    /// For the client to take something of what is queued for it.
    var clientStall = UInt64.max
    /// For the session: calls that take too long, answers that wait, servers to try again.
    var session = UInt64.max
    /// For acknowledgements and keep-alives of a client whose session outlives its connection.
    var persistence = UInt64.max
    /// For a client that is away to come back.
    var grace = UInt64.max
    /// For a client that was asked to go elsewhere to have everything.
    var leaving = UInt64.max
    /// For reading on from the client, which is faster than it may be.
    var clientRate = UInt64.max
    /// For reading on from the servers, likewise.
    var upstreamRate = UInt64.max
    /// For the second side to finish, or for a closing client to be gone.
    var closing = UInt64.max

    /// The next of these, and of those of the links.
    func next(_ links: [UpstreamLink]) -> UInt64 {
        var next = min(client, frame, idle, clientStall, session, closing)
        next = min(next, rest, clientRate, upstreamRate, persistence, grace, leaving)
        for link in links { next = min(next, link.readyDeadline, link.redialDeadline, link.stallDeadline) }
        return next
    }
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
