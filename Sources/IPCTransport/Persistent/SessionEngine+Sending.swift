// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import NIOCore

extension SessionEngine {
    private static let pieceBytes = 128 * 1_024
    /// How much one session writes before others have their turn.
    private static let bytesPerTurn = 1_024 * 1_024

    /// Messages wait.
    func flush() {
        shared.beginFlush()
        // In the middle of a delivery the loop pumps when it is done with what it has read.
        pump()
    }

    /// Pumps when the loop has nothing else to do.
    func schedulePump() {
        guard !isPumpScheduled else { return }
        isPumpScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isPumpScheduled = false
            self.pump()
        }
    }

    /// Writes what there is, as much as the connection takes.
    func pump() {
        guard !isPumping, phase != .over else { return }
        isPumping = true
        moveIntoWindow()
        var budget = Self.bytesPerTurn
        while budget > 0, let link, link.isWritable, session.hasOutput {
            var hasWritten = false
            while budget > 0, link.isWritable, let piece = nextPiece(link) {
                budget -= piece.readableBytes
                handedByteCount += piece.readableBytes
                hasWritten = true
                link.write(piece)
            }
            // This may make it writable again, or lose it.
            if hasWritten { link.flush() } else { break }
        }
        isPumping = false
        if budget <= 0 { schedulePump() }
        let isFull = !session.canSend && phase == .open
        shared.noteWindow(
            count: session.unacknowledgedCount,
            bytes: session.unacknowledgedByteCount,
            isFull: isFull
        )
        if isFull, intake == .stopped, link != nil { return process() }
        finishIfDone()
        armTimer()
    }

    private func moveIntoWindow() {
        do throws(SessionFailure) {
            while session.canSend, let message = shared.take() {
                try session.send(message, at: Self.now)
            }
            if session.messagesLeft == 0, !shared.isEmpty {
                throw SessionFailure(.sequenceExhausted, "the session has used all of its sequence numbers")
            }
        } catch {
            fail(error)
        }
    }

    private func nextPiece(_ link: SessionLink) -> ByteBuffer? {
        guard let first = session.nextFrame(at: Self.now), let channel = link.channel else { return nil }
        let firstBytes = FrameHeader.byteCount + first.body.count
        var piece = channel.allocator.buffer(capacity: firstBytes)
        Self.append(first, to: &piece)
        while piece.readableBytes < Self.pieceBytes, let frame = session.nextFrame(at: Self.now) {
            Self.append(frame, to: &piece)
        }
        return piece
    }

    private static func append(_ frame: Frame, to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(frame.type.rawValue, frame.id, frame.ack, UInt32(frame.body.count))
        buffer.writeBytes(frame.body)
    }
}
