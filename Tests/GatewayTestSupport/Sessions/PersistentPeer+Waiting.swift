// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol

extension PersistentPeer {
    /// How much is given to the connection at once; the rest stays in the session, where it is kept anyway.
    private static let writeBytes = 256 << 10

    /// Lets time pass, and does what a peer does meanwhile.
    ///
    /// - Parameters:
    ///   - milliseconds: How long at most; 0 only does what can be done at once.
    ///   - isDone: What ends it earlier. The end of the connection does so too.
    /// - Throws: `SessionFailure` when the session cannot go on.
    public func poll(milliseconds: Int32, until isDone: () throws -> Bool = { false }) throws {
        let end = Self.now + UInt64(max(0, milliseconds)) * 1_000_000
        while true {
            try write()
            guard try !isDone(), isConnected || milliseconds == 0 else { return }
            let now = Self.now
            let due = min(end, session.nextDeadline)
            let wait = due > now ? Int32(clamping: (due - now + 999_999) / 1_000_000) : 0
            if isReading {
                try read(milliseconds: wait)
            } else {
                letTimePass(milliseconds: min(wait, 5))
            }
            if session.advance(to: Self.now) != nil { timeOutCount += 1 }
            if Self.now >= end || !isConnected {
                try write()
                return
            }
        }
    }

    /// Waits until nothing is left to be acknowledged.
    ///
    /// - Throws: `TimedOut`.
    public func drain(milliseconds: Int32 = patient(20_000)) throws {
        try poll(milliseconds: milliseconds) { self.session.unacknowledgedCount == 0 }
        guard session.unacknowledgedCount == 0 else {
            throw TimedOut(description: "\(session.unacknowledgedCount) messages are not acknowledged")
        }
    }

    func write() throws {
        guard let stream else { return }
        do {
            while stream.queuedByteCount < Self.writeBytes {
                var bytes: [UInt8] = []
                while bytes.count < Self.writeBytes, var frame = session.nextFrame(at: Self.now) {
                    if acknowledging == .never {
                        if frame.type == .ack { continue }
                        frame.ack = 0
                    }
                    frame.append(to: &bytes)
                }
                guard !bytes.isEmpty else { break }
                try stream.queue(bytes)
            }
            try stream.sendQueued()
        } catch {
            // What came before the end is still to be read; reading tells of the end.
            if !isReading { lose(Self.ending(error)) }
        }
    }

    private func read(milliseconds: Int32) throws {
        guard let stream else { return }
        do {
            switch try stream.receive(milliseconds: milliseconds) {
            case .bytes(let bytes): session.append(bytes.span, at: Self.now)
            case .end(let inOrder): lose(inOrder ? .inOrder : .withoutCloseNotify)
            case .nothing: break
            }
        } catch {
            lose(Self.ending(error))
        }
        while let event = try session.nextEvent(at: Self.now) { take(event) }
    }

    private func take(_ event: PersistentSession.Event) {
        switch event {
        case .message(let message): keep(message)
        case .disconnected: isDisconnectedByPeer = true
        case .control(let json):
            guard let control = try? SessionControl(json) else { return }
            take(control)
        }
    }

    private func take(_ control: SessionControl) {
        switch control {
        case .ok(let token, let graceTime):
            self.token = token
            reply = .ok(token: token, graceTime: graceTime)
            session.open(at: Self.now)
            session.endReconnection(at: Self.now)
        case .error(let code, let reason):
            refusal = (code, reason)
            reply = reply ?? .refused(code, reason: reason)
        case .goAway(let reason): goAways.append(reason)
        case .connect: break
        }
    }
}
