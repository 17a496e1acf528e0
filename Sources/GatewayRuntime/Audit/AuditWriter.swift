// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Logging

/// What the audit log's thread does: takes lines, writes them in as few system calls as it can, and stands by them when
/// that fails. Lives on that thread.
final class AuditWriter {
    /// Bytes that are written at once.
    private static let chunkBytes = 64 << 10
    /// How long lines are gathered before they are written, after others have been.
    private static let gatherMilliseconds: Int32 = 10
    /// How long to wait before trying again what has failed.
    private static let retryMilliseconds: Int32 = 1000

    private let queue: AuditQueue
    private var output: AuditOutput
    private var complaints: AuditComplaints

    private var lines: [[UInt8]] = []
    private var chunk: [UInt8] = []
    /// The lines in `chunk`, and their bytes in the queue.
    private var chunkLines = 0
    private var chunkLineBytes = 0
    private var deadline: UInt64?

    init(_ queue: AuditQueue, _ output: consuming AuditOutput, _ logger: Logger) {
        self.queue = queue
        self.complaints = AuditComplaints(logger)
        self.output = output
        self.output.endTornLine()
        chunk.reserveCapacity(2 * Self.chunkBytes)
    }

    /// Runs until the queue is closed, and is empty or out of time.
    func run() {
        while true {
            follow(queue.takeOrders())
            queue.take(&lines)
            guard lines.isEmpty else {
                if !writeLines() { break }
                complaints.dropped(queue.droppedCount)
                queue.gather(milliseconds: Self.gatherMilliseconds)
                continue
            }
            if deadline != nil { break }
            complaints.dropped(queue.droppedCount)
            queue.sleep()
        }
        complaints.ended(queue.droppedCount)
        queue.finished()
    }

    /// - Returns: Whether there is another output now.
    @discardableResult
    private func follow(_ orders: AuditQueue.Orders) -> Bool {
        deadline = orders.deadline
        guard orders.reopens else { return false }
        do throws(SystemError) {
            let other = try AuditOutput(output.target)
            complaints.reopened("\(output.target)")
            // Where it is the same file a line that was begun is continued.
            if other.isSame(as: output) { return false }
            output = other
            output.endTornLine()
            return true
        } catch {
            complaints.notReopened("\(output.target)", error)
            return false
        }
    }

    // MARK: Lines

    /// Writes the lines that were taken.
    ///
    /// - Returns: Whether it did; false when it has given up at the end.
    private func writeLines() -> Bool {
        var next = 0
        while next < lines.count {
            chunk.removeAll(keepingCapacity: true)
            (chunkLines, chunkLineBytes) = (0, 0)
            repeat {
                let line = lines[next]
                next += 1
                if output.takesMessages {
                    SyslogMessage.append(line, to: &chunk)
                } else {
                    chunk += line
                }
                chunkLines += 1
                chunkLineBytes += line.count
            } while next < lines.count && !output.takesMessages && chunk.count < Self.chunkBytes
            guard writeChunk() else {
                giveUp(after: next)
                return false
            }
        }
        lines.removeAll(keepingCapacity: true)
        return true
    }

    private func writeChunk() -> Bool {
        var offset = 0
        var hasReconnected = false
        while offset < chunk.count {
            switch chunk.withUnsafeBytes({ output.write(UnsafeRawBufferPointer(rebasing: $0[offset...])) }) {
            case .bytes(let count):
                offset += count
                complaints.succeeded()
            case .wouldBlock:
                if let deadline, MonotonicClock.now() >= deadline { return countWritten(offset) }
                _ = queue.wait(forWriting: output.number, milliseconds: patience)
                if follow(queue.takeOrders()) { offset = startOfLine(offset) }
                complaints.dropped(queue.droppedCount)
            case .failed(let error) where output.takesMessages && error.code == EMSGSIZE:
                complaints.failed("\(output.target)", error, waiting: queue.waitingCount, dropped: queue.droppedCount)
                queue.release(lines: chunkLines, bytes: chunkLineBytes, areDropped: true)
                return true
            case .failed(let error):
                // The system's log has been restarted, most often.
                if output.takesMessages, !hasReconnected, let other = try? AuditOutput(output.target) {
                    output = other
                    hasReconnected = true
                    continue
                }
                hasReconnected = false
                complaints.failed("\(output.target)", error, waiting: queue.waitingCount, dropped: queue.droppedCount)
                guard deadline == nil else { return countWritten(offset) }
                _ = queue.wait(milliseconds: patience)
                if follow(queue.takeOrders()) { offset = startOfLine(offset) }
            }
        }
        queue.release(lines: chunkLines, bytes: chunkLineBytes)
        return true
    }

    /// How long to wait for a better time, in milliseconds.
    private var patience: Int32 {
        guard let deadline else { return Self.retryMilliseconds }
        let now = MonotonicClock.now()
        return min(Self.retryMilliseconds, Int32(clamping: (max(now, deadline) - now) / 1_000_000 + 1))
    }

    /// A new file gets no part of a line.
    private func startOfLine(_ offset: Int) -> Int {
        if output.takesMessages { return 0 }
        return (chunk[..<offset].lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
    }

    // MARK: Giving up

    /// Takes lines that have been written out of those that will be dropped.
    ///
    /// - Returns: False.
    private func countWritten(_ offset: Int) -> Bool {
        if !output.takesMessages {
            let written = chunk[..<startOfLine(offset)]
            let count = written.count { $0 == UInt8(ascii: "\n") }
            queue.release(lines: count, bytes: written.count)
            chunkLines -= count
            chunkLineBytes -= written.count
        }
        return false
    }

    /// Drops the rest of the chunk, the lines after it and those in the queue.
    private func giveUp(after next: Int) {
        var rest = Array(lines[next...])
        lines.removeAll()
        queue.take(&lines)
        rest += lines
        let bytes = rest.reduce(chunkLineBytes) { $0 + $1.count }
        queue.release(lines: chunkLines + rest.count, bytes: bytes, areDropped: true)
    }
}
