// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Glibc
public import Logging
internal import Synchronization

/// Why a gateway could not start.
public struct GatewayStartError: Error, Sendable, CustomStringConvertible {
    /// What happened and what to do.
    public let description: String
    /// Whether it is the configuration that asks for what cannot be had.
    public let isConfiguration: Bool

    /// Makes an error.
    public init(_ description: String, isConfiguration: Bool = false) {
        self.description = description
        self.isConfiguration = isConfiguration
    }
}

/// A running gateway: reactor threads, each with its share of the listeners.
///
/// Its methods may be called from any thread.
public final class Gateway: Sendable {
    /// The addresses that are listened on, with the ports that the system chose.
    public let addresses: [ListenerAddress]
    /// The files of the Unix sockets that are listened at.
    let socketFiles: [SocketFile]

    /// Where it listens, for people.
    private let places: [String]
    let mailboxes: [Reactor.Mailbox]
    let sessionThreads: [SessionThread]
    let logger: Logger
    let current: Mutex<GatewaySnapshot>
    let end = Mutex(EndState())
    let tally = DrainTally()
    /// Whether the threads turn their loops.
    let liveness: Liveness
    /// What is counted.
    let names: Mutex<MeterNames>
    private let threads: Mutex<[WorkerThread]>

    /// Binds the listeners and starts the threads. SIGPIPE is ignored from then on.
    ///
    /// - Parameters:
    ///   - snapshot: What connections are judged by.
    ///   - logger: Gets what happens.
    ///   - inherited: Sockets that the service manager has opened. All of them have to be used.
    ///   - prepare: Called when the addresses are bound, and before there are Unix sockets and threads: here a process
    ///     gives up what it does not need any more. It opens the audit log, which has a thread; nil for none. Close it after
    ///     the gateway has ended.
    /// - Throws: When an address cannot be listened on, and what `prepare` throws; nothing is left open then.
    public init(
        _ snapshot: GatewaySnapshot,
        logger: Logger,
        inherited: InheritedSockets = InheritedSockets(),
        prepare: () throws(GatewayStartError) -> AuditLog? = { () throws(GatewayStartError) in nil }
    ) throws(GatewayStartError) {
        signal(SIGPIPE, SIG_IGN)
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let threadCount = snapshot.configuration.threads ?? max(1, cores)
        let name = try Self.peerName(snapshot)
        let (listeners, audit) = try Self.openListeners(snapshot, threadCount, inherited, prepare)
        addresses = listeners.compactMap(\.address)
        socketFiles = listeners.compactMap(\.file)
        let load = GatewayLoad()
        let identities = IdentityRegistry()
        let sessions = SessionTable(gateway: name)
        let names = MeterNames(snapshot.configuration)
        let edition = Edition(snapshot, names: names, threadCount: threadCount)
        var sessionThreads: [SessionThread] = []
        let loads = snapshot.configuration.listeners.enumerated().map { index, listener in
            ListenerLoad(index: index, name: listener.name, limits: listener.limits)
        }
        var mailboxes: [Reactor.Mailbox] = []
        var threads: [WorkerThread] = []
        let liveness = Liveness(threadCount: threadCount)
        self.liveness = liveness
        do throws(SystemError) {
            for index in 0..<threadCount {
                let shares = listeners.map { $0.descriptors[index] }
                let reactor = try Reactor()
                mailboxes.append(reactor.mailbox)
                let environment = BridgeEnvironment(
                    reactor: reactor,
                    edition: edition,
                    logger: logger,
                    load: load,
                    identities: identities,
                    audit: audit,
                    sessions: sessions,
                    tally: tally,
                    threadCount: threadCount,
                    threadIndex: index
                )
                for (index, (listener, descriptor)) in zip(snapshot.listeners, shares).enumerated() {
                    let clients: Listener.Clients = if case .tcp = listener { .remote } else { .local }
                    try Listener(
                        socket: Socket(Descriptor(descriptor)),
                        clients: clients,
                        origin: listeners[index].origin,
                        load: loads[index],
                        environment: environment
                    ).start()
                }
                let sessionThread = environment.sessionThread
                sessionThreads.append(sessionThread)
                let handover = Handover(reactor: reactor)
                threads.append(
                    try WorkerThread {
                        handover.reactor.run()
                        liveness.threadEnded(index)
                        handover.reactor.mailbox.close()
                        sessionThread.end()
                    }
                )
            }
        } catch {
            for listener in listeners { listener.close(from: mailboxes.count) }
            for mailbox in mailboxes { mailbox.post { $0.stopNow() } }
            for thread in threads { thread.join() }
            for thread in sessionThreads { thread.end() }
            throw GatewayStartError("cannot start a thread: \(error)")
        }
        self.mailboxes = mailboxes
        self.sessionThreads = sessionThreads
        self.logger = logger
        current = Mutex(snapshot)
        self.names = Mutex(names)
        self.threads = Mutex(threads)
        places = listeners.map(\.name)
    }

    /// Says in the log where it listens: for when everything that goes with it is there, too.
    public func announce() {
        for place in places {
            logger.info("listening", metadata: ["address": "\(place)", "threads": "\(sessionThreads.count)"])
        }
    }

    /// Takes a reactor to its thread. Safe because nobody else keeps it: only its mailbox is shared.
    private struct Handover: @unchecked Sendable {
        let reactor: Reactor
    }

    private static func openListeners(
        _ snapshot: GatewaySnapshot,
        _ threadCount: Int,
        _ inherited: InheritedSockets,
        _ prepare: () throws(GatewayStartError) -> AuditLog?
    ) throws(GatewayStartError) -> ([ListeningSockets], AuditLog?) {
        var opened: [Int: ListeningSockets] = [:]
        func open(where isWanted: (GatewaySnapshot.Listener) -> Bool) throws(GatewayStartError) {
            for (index, listener) in snapshot.listeners.enumerated() where isWanted(listener) {
                let settings = snapshot.configuration.listeners[index]
                opened[index] = try ListeningSockets.open(listener, settings, inherited: inherited, count: threadCount)
            }
        }
        do throws(GatewayStartError) {
            // Ports below 1024 take rights that are given up then; files belong to whom the gateway runs as from then on.
            try open { if case .tcp = $0 { true } else { false } }
            let audit = try prepare()
            try open { if case .unix = $0 { true } else { false } }
            try inherited.checkThatAllAreTaken(by: snapshot.configuration.listeners)
            return (opened.sorted { $0.key < $1.key }.map(\.value), audit)
        } catch {
            for listener in opened.values { listener.close() }
            throw error
        }
    }

    /// Waits until every thread has ended, which takes a ``requestDrain()``.
    public func wait() {
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
        end.withLock { $0.hasEnded = true }
    }
}
