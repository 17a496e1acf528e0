// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// One end of a session under a clock that the test turns, with everything that came of it.
struct SessionStage {
    static let millisecond: UInt64 = 1_000_000
    static let second: UInt64 = 1_000_000_000

    var session: PersistentSession
    /// The time in nanoseconds.
    private(set) var now: UInt64
    /// What was written, and when.
    private(set) var written: [(time: UInt64, frame: Frame)] = []
    private(set) var messages: [[UInt8]] = []
    private(set) var controls: [[UInt8]] = []
    private(set) var disconnects = 0
    private(set) var timeOuts: [PersistentSession.TimeOut] = []
    private(set) var failure: SessionFailure?

    init(_ settings: SessionSettings = SessionSettings(), startsOpen: Bool = true, at now: UInt64 = 0) {
        session = PersistentSession(settings: settings, startsOpen: startsOpen, at: now)
        self.now = now
    }

    /// The frames that were written.
    var frames: [Frame] { written.map(\.frame) }

    /// The texts of the messages that were handed on.
    var texts: [String] { messages.map { String(decoding: $0, as: UTF8.self) } }

    /// Sends a message and writes what there is.
    mutating func send(_ text: String) {
        act { stage throws(SessionFailure) in try stage.session.send(Array(text.utf8), at: stage.now) }
    }

    /// Does something with the session and writes what there is; keeps the failure.
    mutating func act(_ body: (inout SessionStage) throws(SessionFailure) -> Void) {
        do throws(SessionFailure) {
            try body(&self)
        } catch {
            failure = error
        }
        write()
    }

    /// Receives bytes in pieces of a size, and writes what there is.
    mutating func receive(_ bytes: [UInt8], inPiecesOf size: Int = .max) {
        act { stage throws(SessionFailure) in
            var position = 0
            while position < bytes.count {
                let end = position + min(size, bytes.count - position)
                stage.session.append(bytes.span.extracting(position..<end), at: stage.now)
                position = end
                try stage.takeEvents()
            }
        }
    }

    /// Receives frames.
    mutating func receive(_ frames: Frame...) {
        receive(frames.flatMap { $0.encoded() })
    }

    /// Looks at what came and was not looked at.
    mutating func takeEvents() throws(SessionFailure) {
        while let event = try session.nextEvent(at: now) {
            switch event {
            case .message(let message): messages.append(message)
            case .control(let json): controls.append(json)
            case .disconnected: disconnects += 1
            }
        }
    }

    /// Lets time pass, and does what is due exactly when it is.
    mutating func run(until end: UInt64) {
        while session.nextDeadline <= end {
            now = max(now, session.nextDeadline)
            advance()
        }
        now = max(now, end)
    }

    /// Lets time pass while nothing runs.
    mutating func stop(until end: UInt64) {
        now = end
    }

    /// Does what is due.
    mutating func advance() {
        if let timeOut = session.advance(to: now) {
            timeOuts.append(timeOut)
        }
        write()
    }

    /// Forgets what was written.
    mutating func clear() {
        written = []
    }

    private mutating func write() {
        while let frame = session.nextFrame(at: now) {
            written.append((now, frame))
        }
    }
}

extension Frame {
    /// A message with a number.
    static func message(_ id: UInt32, _ text: String, ack: UInt32 = 0) -> Frame {
        Frame(type: .regular, id: id, ack: ack, body: Array(text.utf8))
    }
}
