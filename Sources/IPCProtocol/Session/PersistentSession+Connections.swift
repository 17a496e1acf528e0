// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension PersistentSession {
    /// The two ends have agreed to have a session: messages flow.
    public mutating func open(at now: UInt64) {
        noteCall(at: now)
        guard link == .opening else { return }
        link = .open
        window.replay(at: now)
    }

    /// The connection is gone; the session waits for another.
    ///
    /// What came and was not asked for with ``nextEvent(at:)`` is dropped. It was not acknowledged, so it will come again.
    public mutating func connectionLost() {
        link = .detached
        forgetConnection()
    }

    /// There is a new connection, whatever has become of the last one; now the two ends agree to go on, by Control messages.
    /// Messages wait until ``endReconnection(at:)``.
    ///
    /// A partial frame, frames that waited and a pause are forgotten with the last connection.
    ///
    /// - Parameters:
    ///   - unread: What came on the new connection and was read by others, but not used. It is taken first.
    ///   - now: The time.
    public mutating func beginReconnection(unread: [UInt8] = [], at now: UInt64) {
        link = .resuming
        forgetConnection()
        keepAlive.start(at: now)
        liveness.start(at: now)
        append(unread.span, at: now)
    }

    /// The peer does not know the session, in which nothing was ever acknowledged or received: there is a new connection, on
    /// which the two ends agree to have a new one. ``open(at:)`` follows, and then every message is sent from the first on.
    ///
    /// - Parameter now: The time.
    /// - Precondition: ``isUnheard``.
    public mutating func beginAnew(at now: UInt64) {
        precondition(isUnheard, "something was acknowledged or received: the session cannot begin anew")
        link = .opening
        forgetConnection()
        keepAlive.start(at: now)
        liveness.start(at: now)
    }

    /// Both ends go on: an Ack of the last message received is written, then everything that is not acknowledged, again.
    public mutating func endReconnection(at now: UInt64) {
        noteCall(at: now)
        guard link == .resuming else { return }
        link = .open
        window.replay(at: now)
        acknowledgement.acknowledged()
        isAckPending = true
    }

    private mutating func forgetConnection() {
        _ = decoder.takeBuffered()
        controls.removeAll()
        incoming.startConnection()
        replayRequests.reset()
        replays.reset()
        isAckPending = false
        isKeepAlivePending = false
        isPaused = false
    }
}
