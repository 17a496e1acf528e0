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

    init(_ description: String) {
        self.description = description
    }
}

/// A running gateway: reactor threads, each with its share of the listeners.
///
/// Its methods may be called from any thread.
public final class Gateway: Sendable {
    /// How long connections may take to end once the gateway stops, in nanoseconds; those that were asked to go elsewhere
    /// have `timeouts.drain` before.
    private static let stopGrace: UInt64 = 2_000_000_000

    /// The addresses that are listened on, with the ports that the system chose.
    public let addresses: [ListenerAddress]
    /// The files of the Unix sockets that are listened at.
    private let socketFiles: [SocketFile]

    private let mailboxes: [Reactor.Mailbox]
    let sessionThreads: [SessionThread]
    let logger: Logger
    let current: Mutex<GatewaySnapshot>
    private let threads: Mutex<[WorkerThread]>

    /// Binds the listeners and starts the threads. SIGPIPE is ignored from then on.
    ///
    /// - Parameters:
    ///   - snapshot: What connections are judged by.
    ///   - logger: Gets what happens.
    ///   - audit: Gets the audit lines; nil for none. Close it after the gateway has ended.
    /// - Throws: When an address cannot be listened on; nothing is left open then.
    public init(
        _ snapshot: GatewaySnapshot,
        logger: Logger,
        audit: AuditLog? = nil
    ) throws(GatewayStartError) {
        signal(SIGPIPE, SIG_IGN)
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let threadCount = snapshot.configuration.threads ?? max(1, cores)
        let listeners = try Self.openListeners(snapshot, threadCount)
        addresses = listeners.compactMap(\.address)
        socketFiles = listeners.compactMap(\.file)
        let load = GatewayLoad()
        let identities = IdentityRegistry()
        let sessions = SessionTable()
        let edition = Edition(snapshot, threadCount: threadCount)
        var sessionThreads: [SessionThread] = []
        let loads = snapshot.configuration.listeners.enumerated().map { index, listener in
            ListenerLoad(index: index, name: listener.name, limits: listener.limits)
        }
        var mailboxes: [Reactor.Mailbox] = []
        var threads: [WorkerThread] = []
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
                    threadCount: threadCount
                )
                for (index, (listener, descriptor)) in zip(snapshot.listeners, shares).enumerated() {
                    let clients: Listener.Clients = if case .tcp = listener { .remote } else { .local }
                    try Listener(
                        socket: Socket(Descriptor(descriptor)),
                        clients: clients,
                        load: loads[index],
                        environment: environment
                    ).start()
                }
                sessionThreads.append(environment.sessionThread)
                let handover = Handover(reactor: reactor)
                threads.append(try WorkerThread { handover.reactor.run() })
            }
        } catch {
            for listener in listeners { listener.close(from: mailboxes.count) }
            for mailbox in mailboxes { mailbox.post { $0.stop(grace: 0) } }
            for thread in threads { thread.join() }
            throw GatewayStartError("cannot start a thread: \(error)")
        }
        self.mailboxes = mailboxes
        self.sessionThreads = sessionThreads
        self.logger = logger
        current = Mutex(snapshot)
        self.threads = Mutex(threads)
        for listener in listeners {
            logger.info("listening", metadata: ["address": "\(listener.name)", "threads": "\(threadCount)"])
        }
    }

    /// Takes a reactor to its thread. Safe because nobody else keeps it: only its mailbox is shared.
    private struct Handover: @unchecked Sendable {
        let reactor: Reactor
    }

    private static func openListeners(
        _ snapshot: GatewaySnapshot,
        _ threadCount: Int
    ) throws(GatewayStartError) -> [ListeningSockets] {
        var opened: [ListeningSockets] = []
        do throws(GatewayStartError) {
            for listener in snapshot.listeners {
                opened.append(try ListeningSockets.open(listener, count: threadCount))
            }
        } catch {
            for listener in opened { listener.close() }
            throw error
        }
        return opened
    }

    /// Stops accepting and tells every connection to end; returns at once.
    public func stop() {
        // First, so that nobody connects to a socket that will not be accepted from any more.
        for file in socketFiles { file.remove() }
        let drainTime = current.withLock { $0.configuration.timeouts.drain }
        for mailbox in mailboxes {
            mailbox.post { $0.stop(grace: Self.stopGrace + drainTime) }
        }
    }

    /// Waits until every thread has ended, which takes a `stop`.
    public func wait() {
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }
}
