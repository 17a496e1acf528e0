// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension PersistentSession {
    /// Whether the sender may go on. When it may not, it has to wait until acknowledgements have come.
    ///
    /// The answer is about the next message, however large: so the window is exceeded by at most that one. Look again after
    /// each ``nextEvent(at:)``.
    public var canSend: Bool {
        isAlive && window.hasRoom
    }

    /// How many more messages the session has sequence numbers for. It has to be replaced by another before there are none.
    public var messagesLeft: UInt32 { settings.highestID - window.lastID }

    /// Sends a message; it is kept until the peer acknowledges it.
    ///
    /// After a Disconnect of either side it is dropped.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - now: The time.
    /// - Throws: `sequence-exhausted` at the end of the sequence numbers, which do not wrap: this message cannot be sent, but
    ///   those before it still arrive, see ``messagesLeft``. `limit` when ``canSend`` was not heeded and the reserve, too, is
    ///   used up; that ends the session.
    public mutating func send(_ message: [UInt8], at now: UInt64) throws(SessionFailure) {
        guard try mayTakeMessage(at: now) else { return }
        do throws(SessionFailure) {
            try window.append(message, ack: incoming.lastID, at: now)
        } catch {
            throw fail(error)
        }
        acknowledgement.acknowledged()
    }

    /// Sends a copy of a message, for who has it in a buffer of his own; otherwise the same as ``send(_:at:)``.
    public mutating func send(copying message: Span<UInt8>, at now: UInt64) throws(SessionFailure) {
        guard try mayTakeMessage(at: now) else { return }
        do throws(SessionFailure) {
            try window.append(copying: message, ack: incoming.lastID, at: now)
        } catch {
            throw fail(error)
        }
        acknowledgement.acknowledged()
    }

    private mutating func mayTakeMessage(at now: UInt64) throws(SessionFailure) -> Bool {
        noteCall(at: now)
        if let failure { throw failure }
        guard isAlive else { return false }
        guard messagesLeft > 0 else {
            let count = settings.highestID
            throw SessionFailure(.sequenceExhausted, "the session has used all of its \(count) sequence numbers")
        }
        return true
    }

    /// Sends a Control message, behind the messages that were sent before. It belongs to the connection: where there is none
    /// it is dropped, and it is lost with it. After a failure it can still be sent, to say why.
    ///
    /// - Parameter json: UTF-8 of a JSON object, at most ``SessionSettings/controlBytes``.
    /// - Throws: `limit` when it is larger, or when too many wait because the peer does not read.
    public mutating func sendControl(_ json: [UInt8]) throws(SessionFailure) {
        guard json.count <= settings.controlBytes else {
            throw SessionFailure(
                .limit,
                "a Control message has \(json.count) bytes, more than \(settings.controlBytes)"
            )
        }
        try enqueue(Frame(type: .control, body: json))
    }

    /// Asks the peer to write nothing more, not even acknowledgements, on this connection until ``sendResume()``.
    ///
    /// - Throws: `limit` when too many frames wait because the peer does not read.
    public mutating func sendPause() throws(SessionFailure) {
        try enqueue(Frame(type: .pause))
    }

    /// Lets the peer write again.
    ///
    /// - Throws: `limit` when too many frames wait because the peer does not read.
    public mutating func sendResume() throws(SessionFailure) {
        try enqueue(Frame(type: .resume))
    }

    /// Says that the session is over, behind all messages; only the first time. Nothing is sent after it.
    public mutating func sendDisconnect() {
        guard !hasSentDisconnect else { return }
        hasSentDisconnect = true
        guard link != .detached else { return }
        controls.append(Frame(type: .disconnect), after: window.lastID)
    }

    private mutating func enqueue(_ frame: Frame) throws(SessionFailure) {
        guard link != .detached, !hasSentDisconnect else { return }
        guard controls.count < ControlQueue.limit else {
            let full = SessionFailure(.limit, "\(controls.count) frames wait that the peer does not read")
            throw failure ?? fail(full)
        }
        // While messages wait for the handshake, what belongs to the handshake does not wait behind them.
        controls.append(frame, after: link == .open ? window.lastID : 0)
    }

    /// Whether ``nextFrame(at:)`` would yield something.
    public var hasOutput: Bool {
        guard link != .detached, !isPaused else { return false }
        return controls.isReady(written: window.lastWritten) || isAckPending || isKeepAlivePending
            || (carriesMessages && window.hasUnwritten)
    }

    /// The next frame to write, in whole, to the connection that is there. Ask when there is room to write it: what was
    /// yielded counts as written.
    ///
    /// - Parameter now: The time.
    /// - Returns: Nil when there is nothing, or when the peer asked for a pause.
    public mutating func nextFrame(at now: UInt64) -> Frame? {
        noteCall(at: now)
        guard link != .detached, !isPaused else { return nil }
        replayIfDue(at: now)
        if let frame = controls.next(written: window.lastWritten) {
            return frame
        }
        if isAckPending || isKeepAlivePending {
            let type: FrameType = isAckPending ? .ack : .keepAlive
            if isAckPending { isAckPending = false } else { isKeepAlivePending = false }
            acknowledgement.acknowledged()
            earlyAcknowledgement.wrote(ack: incoming.lastID, of: incoming.lastID)
            return Frame(type: type, ack: incoming.lastID)
        }
        guard carriesMessages, let frame = window.next() else { return nil }
        earlyAcknowledgement.wrote(ack: frame.ack, of: incoming.lastID)
        return frame
    }

    /// Writes frames into a buffer until it holds enough, or nothing is left to write.
    ///
    /// - Parameters:
    ///   - output: What the frames are appended to.
    ///   - enough: No further frame is begun when the buffer holds so many bytes.
    ///   - now: The time.
    public mutating func appendOutput(to output: inout [UInt8], upTo enough: Int, at now: UInt64) {
        while output.count < enough, let frame = nextFrame(at: now) {
            frame.append(to: &output)
        }
    }

    /// Whether messages are written to the connection, and not only kept. They are before a Disconnect that waits its turn.
    private var carriesMessages: Bool {
        link == .open && failure == nil && !isOver
    }

    /// Starts a replay that was asked for, if it is time and the last one has been written.
    mutating func replayIfDue(at now: UInt64) {
        guard carriesMessages, !window.isReplaying, replays.take(at: now) else { return }
        window.replay(at: now)
    }
}
