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
    /// How long connections may take to end once the gateway stops, in nanoseconds.
    private static let stopGrace: UInt64 = 2_000_000_000

    /// The addresses that are listened on, with the ports that the system chose.
    public let addresses: [ListenerAddress]

    private let mailboxes: [Reactor.Mailbox]
    private let threads: Mutex<[WorkerThread]>

    /// Binds the listeners and starts the threads. SIGPIPE is ignored from then on.
    ///
    /// - Throws: When an address cannot be listened on; nothing is left open then.
    public init(_ snapshot: GatewaySnapshot, logger: Logger) throws(GatewayStartError) {
        signal(SIGPIPE, SIG_IGN)
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let threadCount = snapshot.configuration.threads ?? max(1, cores)
        let listeners = try Self.openListeners(snapshot, threadCount)
        addresses = listeners.map(\.address)
        let load = GatewayLoad()
        let identities = IdentityRegistry()
        var mailboxes: [Reactor.Mailbox] = []
        var threads: [WorkerThread] = []
        do throws(SystemError) {
            for index in 0..<threadCount {
                let shares = listeners.map { $0.descriptors[index] }
                let reactor = try Reactor()
                mailboxes.append(reactor.mailbox)
                let environment = BridgeEnvironment(
                    reactor: reactor,
                    snapshot: snapshot,
                    logger: logger,
                    load: load,
                    identities: identities,
                    threadCount: threadCount
                )
                for (listener, descriptor) in zip(snapshot.listeners, shares) {
                    try Listener(
                        socket: Socket(Descriptor(descriptor)),
                        tls: listener.tls,
                        environment: environment
                    ).start()
                }
                let handover = Handover(reactor: reactor)
                threads.append(try WorkerThread { handover.reactor.run() })
            }
        } catch {
            for listener in listeners {
                for descriptor in listener.descriptors.dropFirst(mailboxes.count) { _ = close(descriptor) }
            }
            for mailbox in mailboxes { mailbox.post { $0.stop(grace: 0) } }
            for thread in threads { thread.join() }
            throw GatewayStartError("cannot start a thread: \(error)")
        }
        self.mailboxes = mailboxes
        self.threads = Mutex(threads)
        for address in addresses {
            logger.info("listening", metadata: ["address": "\(address)", "threads": "\(threadCount)"])
        }
    }

    /// Takes a reactor to its thread. Safe because nobody else keeps it: only its mailbox is shared.
    private struct Handover: @unchecked Sendable {
        let reactor: Reactor
    }

    private static func openListeners(
        _ snapshot: GatewaySnapshot,
        _ threadCount: Int
    ) throws(GatewayStartError) -> [(descriptors: [Int32], address: ListenerAddress)] {
        var opened: [(descriptors: [Int32], address: ListenerAddress)] = []
        do throws(GatewayStartError) {
            for listener in snapshot.listeners {
                opened.append(try ListeningSockets.open(listener.address, count: threadCount))
            }
        } catch {
            for descriptor in opened.flatMap(\.descriptors) { _ = close(descriptor) }
            throw error
        }
        return opened
    }

    /// Stops accepting and tells every connection to end; returns at once.
    public func stop() {
        for mailbox in mailboxes {
            mailbox.post { $0.stop(grace: Self.stopGrace) }
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
