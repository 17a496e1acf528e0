// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import Logging

/// What the connections of one thread share.
final class BridgeEnvironment {
    let reactor: Reactor
    /// What connections are judged by that come now, and those that are there, soon.
    private(set) var edition: Edition
    /// What judges those that are there.
    private(set) var judging: Judging?
    let logger: Logger
    /// What the connections of all threads use up together.
    let load: GatewayLoad
    /// What the connections of each identity use up together.
    let identities: IdentityRegistry
    /// The audit log, if there is one.
    let audit: AuditLog?
    /// The sessions of all threads that outlive their connections.
    let sessions: SessionTable
    /// What the end of the gateway cuts.
    let tally: DrainTally
    /// This thread, for those who bring clients back to its sessions.
    private(set) lazy var sessionThread = SessionThread(self)
    /// The connections of this thread that are not authenticated yet.
    let newcomers: Newcomers
    /// What is counted on this thread.
    let meter: ThreadMeter

    private let threadCount: Int
    private var nextSessionNumber: Int

    /// Time between two warnings about the same, in nanoseconds.
    private static let warningInterval: UInt64 = 10_000_000_000
    private var nextNewcomerWarning: UInt64 = 0
    private var newcomersThatMadeRoom = 0

    /// - Parameters:
    ///   - threadCount: Among how many threads newcomers are spread.
    ///   - threadIndex: This one's number among them.
    init(
        reactor: Reactor,
        edition: Edition,
        logger: Logger,
        load: GatewayLoad,
        identities: IdentityRegistry,
        audit: AuditLog?,
        sessions: SessionTable,
        tally: DrainTally,
        threadCount: Int,
        threadIndex: Int
    ) {
        self.reactor = reactor
        self.edition = edition
        self.threadCount = threadCount
        self.logger = logger
        self.load = load
        self.identities = identities
        self.audit = audit
        self.sessions = sessions
        self.tally = tally
        meter = ThreadMeter(listenerCount: edition.snapshot.configuration.listeners.count)
        meter.adopt(edition.names)
        nextSessionNumber = threadIndex + 1
        newcomers = Newcomers()
        newcomers.limit = newcomerLimit
    }

    var snapshot: GatewaySnapshot { edition.snapshot }

    /// Whether the gateway stops: nobody new is served.
    var isDraining: Bool { reactor.isStopping }

    private var newcomerLimit: Int { max(1, snapshot.configuration.limits.newcomers / threadCount) }

    /// Goes on by a newer edition, and begins to judge those who are there by it.
    func adopt(_ new: Edition) {
        guard new.snapshot.generation > snapshot.generation else { return }
        judging?.finish()
        edition = new
        meter.adopt(new.names)
        newcomers.limit = newcomerLimit
        let judging = Judging(new, on: reactor)
        self.judging = judging
        judging.start()
    }

    /// A number that no other session of any thread has.
    func makeSessionNumber() -> Int {
        defer { nextSessionNumber += threadCount }
        return nextSessionNumber
    }

    /// What has become of a session that is not there any more.
    func fate(of arrival: Arrival) -> SessionTable.Refusal? {
        do throws(SessionTable.Refusal) {
            _ = try sessions.find(arrival.token, for: arrival.resolution)
            return nil
        } catch {
            return error
        }
    }

    private var frameBuffer: [UInt8] = []

    /// An empty buffer to put frames together in, to be given back.
    func takeFrameBuffer() -> [UInt8] {
        var buffer: [UInt8] = []
        swap(&buffer, &frameBuffer)
        return buffer
    }

    /// Takes a buffer back, to be used again unless it has become large.
    func giveBack(_ buffer: inout [UInt8]) {
        guard buffer.capacity <= Scratch.readByteCount else { return }
        buffer.removeAll(keepingCapacity: true)
        swap(&buffer, &frameBuffer)
    }

    private var nextPauseWarning: UInt64 = 0

    /// Says now and then that connections are not accepted.
    func warnOfPause(_ error: SystemError, hasSentOneAway: Bool) {
        guard reactor.now >= nextPauseWarning else { return }
        nextPauseWarning = reactor.now + Self.warningInterval
        let detail = "raise the limit of open files (ulimit -n), lower limits.clients, or find out who holds them"
        logger.warning(
            "accepting pauses: \(error.reason)",
            metadata: ["detail": "\(detail)", "newcomerSentAway": "\(hasSentOneAway)"]
        )
    }

    /// Says now and then that the pool of newcomers is full; a line for each would be a flood of its own.
    func newcomerMakesRoom() {
        newcomersThatMadeRoom += 1
        guard reactor.now >= nextNewcomerWarning else { return }
        nextNewcomerWarning = reactor.now + Self.warningInterval
        logger.warning(
            "too many newcomers; those who took longest make room (limits.newcomers)",
            metadata: ["connections": "\(newcomersThatMadeRoom)"]
        )
        newcomersThatMadeRoom = 0
    }
}
