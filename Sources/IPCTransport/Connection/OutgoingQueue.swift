// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import NIOCore

/// Frames that wait to be handed to the channel, cut into pieces that make good writes.
///
/// Small messages are collected, so that many leave in one write. A large one is kept as it came, and copied piece by
/// piece when its turn comes: it costs no second copy in memory while it waits.
struct OutgoingQueue {
    private enum Piece {
        case collected(ByteBuffer)
        /// A large message, and how much of it has left.
        case message([UInt8], taken: Int)
    }

    /// A message from this size on is not collected with others.
    private static let largeMessageBytes = 64 * 1_024
    /// What is handed over at once.
    static let pieceBytes = 128 * 1_024
    private static let initialCapacity = 1_024

    private var pieces: [Piece] = []
    /// The first piece that has not left.
    private var head = 0
    /// What is being collected, behind the pieces.
    private var tail = ByteBuffer()

    /// Bytes that wait, headers included.
    private(set) var byteCount = 0

    /// Appends a frame.
    ///
    /// - Precondition: The body is shorter than 4 GiB.
    mutating func append(type: FrameType, _ body: [UInt8]) {
        byteCount += FrameHeader.byteCount + body.count
        let isLarge = body.count >= Self.largeMessageBytes
        let needed = FrameHeader.byteCount + (isLarge ? 0 : body.count)
        tail.reserveCapacity(minimumWritableBytes: tail.capacity == 0 ? max(needed, Self.initialCapacity) : needed)
        tail.writeMultipleIntegers(type.rawValue, UInt32(0), UInt32(0), UInt32(body.count))
        if isLarge {
            seal()
            pieces.append(.message(body, taken: 0))
        } else {
            tail.writeBytes(body)
            if tail.readableBytes >= Self.pieceBytes { seal() }
        }
    }

    /// Takes what leaves next; nil when nothing waits.
    mutating func take() -> ByteBuffer? {
        guard head < pieces.count else {
            guard tail.readableBytes > 0 else { return nil }
            let taken = tail
            tail = ByteBuffer()
            byteCount -= taken.readableBytes
            return taken
        }
        let taken: ByteBuffer
        switch pieces[head] {
        case .collected(let buffer):
            taken = buffer
            dropHead()
        case .message(let body, let start):
            let end = min(start + Self.pieceBytes, body.count)
            taken = ByteBuffer(bytes: body[start..<end])
            if end == body.count {
                dropHead()
            } else {
                pieces[head] = .message(body, taken: end)
            }
        }
        byteCount -= taken.readableBytes
        return taken
    }

    /// Forgets everything.
    mutating func removeAll() {
        self = OutgoingQueue()
    }

    private mutating func seal() {
        pieces.append(.collected(tail))
        tail = ByteBuffer()
    }

    private mutating func dropHead() {
        // Its memory goes now, not when the array is compacted.
        pieces[head] = .collected(ByteBuffer())
        head += 1
        if head == pieces.count {
            pieces.removeAll(keepingCapacity: pieces.count <= 64)
            head = 0
        } else if head >= 64, head >= pieces.count / 2 {
            pieces.removeFirst(head)
            head = 0
        }
    }
}
