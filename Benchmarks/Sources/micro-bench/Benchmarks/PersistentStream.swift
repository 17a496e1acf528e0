// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// A session that outlives connections, used as the gateway does; each message that comes acknowledges the last one.
struct PersistentStream: Benchmark {
    let name = "persistent-stream"
    let operation = "take a message of 60 bytes that acknowledges the last one, and send one that acknowledges it"
    private var session: PersistentSession
    private var frames: [UInt8] = []
    private var received: UInt32 = 0
    private let message = Array(Sample.call[FrameHeader.byteCount...])
    private var now: UInt64 = 1_000_000_000

    init() throws {
        session = PersistentSession(at: now)
        frames.reserveCapacity(1_024)
    }

    mutating func run(_ operations: Int) throws -> Int {
        let message = message
        var right = 0
        for _ in 0..<operations {
            let header = FrameHeader(type: .regular, id: received + 1, ack: received, length: UInt32(message.count))
            session.heard(at: now)
            let verdict = try session.receive(header, at: now)
            received += 1
            now += 1_000
            try session.send(copying: message.span, at: now)
            session.appendOutput(to: &frames, upTo: 1_024, at: now)
            let written = FrameHeader(frames.span)
            let isWritten = frames.count == Sample.frameBytes && written?.id == received && written?.ack == received
            if verdict == .message, isWritten { right += 1 }
            frames.removeAll(keepingCapacity: true)
        }
        return right
    }
}
