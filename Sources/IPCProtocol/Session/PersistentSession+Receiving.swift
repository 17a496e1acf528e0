// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension PersistentSession {
    /// What a frame turned out to be.
    public enum Verdict: Sendable, Hashable {
        /// The next message: it is accepted and has to be handed on.
        case message
        /// A Control message, to be handed on.
        case control
        /// The peer says that the session is over.
        case disconnected
        /// A message that was accepted before; it is dropped.
        case duplicate
        /// A message that is not the next one, or is not taken now; it is dropped, and will come again.
        case missing
        /// A frame whose meaning was for the session alone, or which came when it was over.
        case handled
    }

    /// Something for the layer above.
    public enum Event: Sendable, Hashable {
        /// The next message.
        case message([UInt8])
        /// A Control message: UTF-8 of JSON, if the peer is as it should be; that has not been looked at.
        case control([UInt8])
        /// The peer says that the session is over. A strict session reads nothing after it.
        case disconnected
    }

    /// Takes bytes from the connection. Call ``nextEvent(at:)`` until it returns nil before appending more: nothing else
    /// bounds them.
    ///
    /// - Parameters:
    ///   - bytes: Any piece of the stream, which may be empty.
    ///   - now: The time.
    public mutating func append(_ bytes: Span<UInt8>, at now: UInt64) {
        noteCall(at: now)
        guard link != .detached, failure == nil, !isOver, !bytes.isEmpty else { return }
        liveness.heard(at: now)
        decoder.append(bytes)
    }

    /// Returns what is next in the bytes that came, or nil.
    ///
    /// One frame is looked at after the other, so that it is possible to stop behind a Control message and give the rest to
    /// another session (``takeUnread()``).
    ///
    /// - Parameter now: The time.
    /// - Throws: What ``receive(_:at:)`` throws.
    public mutating func nextEvent(at now: UInt64) throws(SessionFailure) -> Event? {
        if let failure { throw failure }
        while let frame = try nextReceivedFrame() {
            switch try receive(frame.header, at: now) {
            case .message: return .message(frame.body)
            case .control: return .control(frame.body)
            case .disconnected: return .disconnected
            case .duplicate, .missing, .handled: continue
            }
        }
        return nil
    }

    /// Takes out the bytes that came and were not looked at, in order to go on with them in another session.
    public mutating func takeUnread() -> [UInt8] {
        decoder.takeBuffered()
    }

    /// Judges a frame that has come in whole, for who takes frames out of a buffer of its own. Call ``heard(at:)`` for bytes
    /// that came, and ``FrameHeader/validatePersistent(_:)`` as soon as a header is there.
    ///
    /// Its acknowledgement is taken first, whatever else it is; only on a connection that is still ``Link/opening`` there is
    /// nothing to acknowledge, and it is not looked at.
    ///
    /// - Parameters:
    ///   - header: The header of the frame.
    ///   - now: The time.
    /// - Returns: What to do with its body.
    /// - Throws: `malformed`, `limit`; `state-lost` for an acknowledgement of what was never sent, and in strict mode for a
    ///   replay that begins after what is missing; `not-allowed` for Pause where it is not accepted. Each ends the session.
    public mutating func receive(_ header: FrameHeader, at now: UInt64) throws(SessionFailure) -> Verdict {
        noteCall(at: now)
        if let failure { throw failure }
        guard link != .detached, !isOver else { return .handled }
        do throws(SessionFailure) {
            do throws(WireError) {
                try header.validatePersistent(settings)
            } catch {
                throw SessionFailure(error)
            }
            if link != .opening {
                try window.acknowledge(header.ack)
            }
            return try judge(header, at: now)
        } catch {
            throw fail(error)
        }
    }

    /// Takes note that bytes have come, for who does not use ``append(_:at:)``.
    public mutating func heard(at now: UInt64) {
        noteCall(at: now)
        liveness.heard(at: now)
    }

    /// Says whether messages are taken.
    ///
    /// Who has no room for messages should not simply stop reading if he waits for acknowledgements at the same time: they come
    /// behind the messages. A message that is not taken is treated as if it had been lost, what it and others acknowledge
    /// is honoured, and when messages are taken again the peer is asked to send what is missing once more.
    ///
    /// - Parameters:
    ///   - takes: Whether from now on they are.
    ///   - now: The time.
    public mutating func takeMessages(_ takes: Bool, at now: UInt64) {
        noteCall(at: now)
        takesMessages = takes
        if takes, incoming.isIncomplete {
            requestReplay(at: now)
        }
    }

    /// Says whether bytes are read from the connection. While they are not, the peer is not taken for dead.
    public mutating func readConnection(_ reads: Bool, at now: UInt64) {
        noteCall(at: now)
        liveness.listen(reads, at: now)
    }

    private mutating func nextReceivedFrame() throws(SessionFailure) -> Frame? {
        guard link != .detached, !isOver else { return nil }
        do throws(WireError) {
            return try decoder.next()
        } catch {
            throw fail(SessionFailure(error))
        }
    }

    private mutating func judge(_ header: FrameHeader, at now: UInt64) throws(SessionFailure) -> Verdict {
        switch header.type {
        case .regular: return try judgeMessage(header, at: now)
        case .control: return .control
        case .disconnect:
            isDisconnectedByPeer = true
            return .disconnected
        case .replayRequest:
            // During a reconnection everything is replayed at its end anyway.
            if link == .open, window.count > 0 {
                replays.want()
                replayIfDue(at: now)
            }
        case .pause:
            guard settings.acceptsPause else {
                throw SessionFailure(.notAllowed, "the peer asks for a pause, which is not accepted here")
            }
            isPaused = true
        case .resume: isPaused = false
        default: break
        }
        return .handled
    }

    private mutating func judgeMessage(_ header: FrameHeader, at now: UInt64) throws(SessionFailure) -> Verdict {
        guard link == .open || (link == .resuming && settings.mode == .lenient) else {
            throw SessionFailure(.malformed, "a message came before both ends had agreed to go on")
        }
        switch try incoming.judge(header.id, isTaken: takesMessages) {
        case .next:
            replayRequests.want(replayRequests.isWanted && incoming.isIncomplete)
            replayRequests.postpone(at: now)
            acknowledgement.accepted(at: now)
            if earlyAcknowledgement.accepted(header.id, byteCount: header.bodyLength) {
                isAckPending = true
            }
            return .message
        case .duplicate:
            replayRequests.postpone(at: now)
            return .duplicate
        case .missing:
            if takesMessages {
                requestReplay(at: now)
            }
            return .missing
        }
    }

    /// Asks for what is missing, now or when it is time; and again, if nothing comes of it.
    private mutating func requestReplay(at now: UInt64) {
        replayRequests.want()
        requestReplayIfDue(at: now)
    }

    mutating func requestReplayIfDue(at now: UInt64) {
        guard link != .detached, takesMessages, replayRequests.take(at: now) else { return }
        controls.append(Frame(type: .replayRequest), after: 0)
        replayRequests.want()
    }
}
