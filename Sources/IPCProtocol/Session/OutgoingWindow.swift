// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The messages that were sent and are not acknowledged, in order, and how far they have been written.
///
/// It is the only place where they are kept: a frame is made when there is room to write it, and a replay only moves the
/// place from where frames are made.
struct OutgoingWindow: Sendable {
    private struct Entry: Sendable {
        var body: [UInt8]
        /// The acknowledgement it was sent with; like VS Code a replay repeats it.
        var ack: UInt32
        var sentAt: UInt64
    }

    private let window: SessionWindow
    private let reserve: SessionWindow
    private let highestID: UInt32
    /// Those before `head` were acknowledged and hold no bytes.
    private var entries: [Entry] = []
    private var head = 0
    /// Memory of small messages that were acknowledged, for the next ones: a quiet conversation allocates nothing.
    private var spares: [[UInt8]] = []
    /// Together they are what an idle session holds, so they are few.
    private static let mostSpares = 8
    private static let largestSpare = 256

    /// The last one written to the connection that is there now; never below `acknowledged`.
    private var written: UInt32 = 0
    /// The last one written to any.
    private var everWritten: UInt32 = 0
    private var replayEnd: UInt32 = 0
    private var replayedAt: UInt64 = 0

    /// The last sequence number given.
    private(set) var lastID: UInt32 = 0
    /// The highest acknowledgement.
    private(set) var acknowledged: UInt32 = 0
    /// The size of the frames that are kept.
    private(set) var byteCount = 0

    init(settings: SessionSettings) {
        window = settings.window
        reserve = settings.reserve
        highestID = settings.highestID
    }

    /// The messages that are kept.
    var count: Int { entries.count - head }

    /// Whether the sender may go on.
    var hasRoom: Bool {
        count < window.messages && byteCount < window.bytes && lastID < highestID
    }

    /// Whether there is something to write.
    var hasUnwritten: Bool { written < lastID }

    /// Whether a replay is being written.
    var isReplaying: Bool { written < replayEnd }

    /// The last one that was written, or that does not have to be.
    var lastWritten: UInt32 { written }

    /// When the oldest was sent on the connection that is there now.
    var oldestSentAt: UInt64? {
        count > 0 ? max(entries[head].sentAt, replayedAt) : nil
    }

    /// Takes a message.
    ///
    /// - Precondition: There is a sequence number left.
    /// - Throws: `limit` when even the reserve is used up.
    mutating func append(_ body: [UInt8], ack: UInt32, at now: UInt64) throws(SessionFailure) {
        try checkReserve()
        add(body, ack: ack, at: now)
    }

    /// The same with a copy of a message.
    mutating func append(copying body: Span<UInt8>, ack: UInt32, at now: UInt64) throws(SessionFailure) {
        try checkReserve()
        var copy = body.count <= Self.largestSpare ? spares.popLast() ?? [] : []
        copy.removeAll(keepingCapacity: true)
        copy.append(copying: body, in: 0..<body.count)
        add(copy, ack: ack, at: now)
    }

    private func checkReserve() throws(SessionFailure) {
        guard count < window.messages + reserve.messages, byteCount < window.bytes + reserve.bytes else {
            throw SessionFailure(.limit, "\(count) messages (\(byteCount) bytes) are not acknowledged")
        }
    }

    private mutating func add(_ body: [UInt8], ack: UInt32, at now: UInt64) {
        lastID += 1
        byteCount += FrameHeader.byteCount + body.count
        entries.append(Entry(body: body, ack: ack, sentAt: now))
    }

    /// Releases what the peer has.
    ///
    /// - Throws: `state-lost` when that was never written.
    mutating func acknowledge(_ id: UInt32) throws(SessionFailure) {
        guard id > acknowledged else { return }
        guard id <= everWritten else {
            throw SessionFailure(.stateLost, "message \(id) is acknowledged, but the last one sent is \(everWritten)")
        }
        for index in head..<head + Int(id - acknowledged) {
            byteCount -= FrameHeader.byteCount + entries[index].body.count
            let body = entries[index].body
            entries[index].body = []
            if spares.count < Self.mostSpares, 1...Self.largestSpare ~= body.capacity { spares.append(body) }
        }
        head += Int(id - acknowledged)
        acknowledged = id
        written = max(written, id)
        compact()
    }

    /// The next frame to write.
    mutating func next() -> Frame? {
        guard hasUnwritten else { return nil }
        let entry = entries[head + Int(written - acknowledged)]
        written += 1
        everWritten = max(everWritten, written)
        return Frame(type: .regular, id: written, ack: entry.ack, body: entry.body)
    }

    /// Starts again with the oldest.
    mutating func replay(at now: UInt64) {
        written = acknowledged
        replayEnd = lastID
        replayedAt = now
    }

    /// Forgets all messages: the session is over.
    mutating func removeAll() {
        entries = []
        head = 0
        spares = []
        byteCount = 0
        acknowledged = lastID
        written = lastID
    }

    /// Drops what was acknowledged. An entry is moved at most as often as one was dropped, so the work stays linear.
    private mutating func compact() {
        if head == entries.count {
            entries.removeAll(keepingCapacity: entries.capacity <= 64)
            head = 0
        } else if head >= 64, head >= entries.count / 2 {
            entries.removeFirst(head)
            head = 0
        }
    }
}
