// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Glibc
public import Logging
internal import Synchronization

/// The audit log: takes lines from any thread and writes them on one of its own.
///
/// Nobody who writes ever waits, for a disk, a reader or the system's log. Lines that find the queue full are dropped and
/// counted; the next one that fits is preceded by a line that says how many there were.
public final class AuditLog: Sendable {
    /// How long ``close(within:)`` takes at most by default.
    public static let closeLimit = Duration.seconds(2)
    /// Where the system's log listens.
    public static let syslogSocket = "/dev/log"
    /// Bytes that lines in the queue may have on average.
    private static let bytesPerLine = 2048
    private static let fewestBytes = 4 << 20

    private let queue: AuditQueue
    private let thread: Mutex<WorkerThread?>
    private let logger: Logger
    private let firstID: String
    private let connectionCount = Atomic<Int>(0)

    /// Opens the log and starts its thread. SIGPIPE is ignored from then on.
    ///
    /// - Parameters:
    ///   - settings: Where lines go, and how many may wait.
    ///   - path: The file, when they go to one; ``GatewayConfiguration/resolve(_:)`` gives it.
    ///   - logger: Gets what goes wrong.
    ///   - syslogSocket: The socket of the system's log.
    ///   - standardOutput: The descriptor that is meant by standard output.
    /// - Throws: When the file, or the system's log, cannot be opened.
    public init(
        _ settings: AuditSettings,
        path: String? = nil,
        logger: Logger,
        syslogSocket: String = AuditLog.syslogSocket,
        standardOutput: Int32 = 1
    ) throws(GatewayStartError) {
        signal(SIGPIPE, SIG_IGN)
        let target: AuditOutput.Target =
            switch settings.destination {
            case .file(let written): .file(path ?? written)
            case .standardOutput: .standardOutput(standardOutput)
            case .syslog: .syslog(syslogSocket)
            }
        self.logger = logger
        firstID = "\(String(MonotonicClock.now() &+ UInt64(bitPattern: MonotonicClock.wallClockOffset()), radix: 36))-"
        let queueBytes = max(Self.fewestBytes, settings.queueLines * Self.bytesPerLine)
        do throws(SystemError) {
            let queue = try AuditQueue(lines: settings.queueLines, bytes: queueBytes)
            self.queue = queue
            let handover = Handover(writer: AuditWriter(queue, try AuditOutput(target), logger))
            thread = Mutex(try WorkerThread { handover.writer.run() })
        } catch {
            throw GatewayStartError("cannot open the audit log, \(target): \(error.reason); \(target.advice)")
        }
    }

    deinit {
        queue.close(by: MonotonicClock.now())
        takeThread()?.detach()
    }

    private func takeThread() -> WorkerThread? {
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
    }

    /// Takes the writer to its thread. Safe because nobody else keeps it.
    private struct Handover: @unchecked Sendable {
        let writer: AuditWriter
    }

    // MARK: Lines

    /// Leaves a line to be written. Never waits.
    ///
    /// - Parameter line: One line with its line feed, as ``AuditLine`` makes them.
    public func write(_ line: [UInt8]) {
        queue.put(line)
    }

    /// How many lines have been dropped since the start.
    public var droppedCount: Int { queue.droppedCount }

    /// How many lines have not been written yet.
    public var waitingCount: Int { queue.waitingCount }

    /// A name for a new connection, different from all others, of other runs too.
    public func makeConnectionID() -> String {
        firstID + String(connectionCount.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// What to add to the reactor's time to get nanoseconds since 1970. Ask for it now and then: clocks are set.
    public static func wallClockOffset() -> Int64 {
        MonotonicClock.wallClockOffset()
    }

    // MARK: Changes

    /// Opens the file anew, so that it can be renamed before; soon, and said in the log. Lines that wait go to the new one.
    /// If that fails the old one is kept. The system's log is connected to anew, standard output stays.
    public func reopen() {
        queue.reopen()
    }

    /// Writes what is there and ends the thread; lines that come later are dropped.
    ///
    /// - Parameter limit: How long that may take; what is not written by then is dropped.
    public func close(within limit: Duration = AuditLog.closeLimit) {
        let (seconds, attoseconds) = limit.components
        let nanoseconds = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
        let deadline = MonotonicClock.now() + nanoseconds
        queue.close(by: deadline)
        if queue.waitUntilFinished(by: deadline) {
            takeThread()?.join()
        } else {
            logger.error("the audit log does not come to its end", metadata: ["lines": "\(waitingCount)"])
        }
    }
}
