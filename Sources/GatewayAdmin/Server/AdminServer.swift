// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
public import GatewayRuntime
internal import Hummingbird
internal import HummingbirdCore
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The endpoint for operators: HTTP at a Unix socket, and by choice at a loopback address.
///
/// It has threads and tasks of its own, and asks those of the gateway over their mailboxes.
public final class AdminServer: Sendable {
    /// Its thread, which ends with the process: what is closed last still has something to say to it.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// How many connections there may be at each place; further ones are closed at once.
    private static let mostConnections = 64
    /// How long a connection may be idle, a request may take to come, and an answer to be taken.
    private static let patience = TimeAmount.seconds(30)
    private static let headerBytes = 16 << 10

    private let sockets: [(socket: OperatorSocket, place: RequestGuard.Place)]
    private let responder: AdminResponder
    private let logger: Logger
    private let task = Mutex<Task<Void, Never>?>(nil)
    /// For what waits for files and for servers.
    private let threads = NIOThreadPool(numberOfThreads: 2)

    /// Listens, and serves from then on.
    ///
    /// - Parameters:
    ///   - settings: Where.
    ///   - path: The path of the Unix socket, as the process must open it.
    ///   - subject: What it is about.
    ///   - logger: Gets what happens.
    /// - Throws: When a place cannot be listened at; nothing is left open then.
    public init(
        _ settings: AdminSettings,
        path: String,
        _ subject: AdminSubject,
        logger: Logger
    ) throws(GatewayStartError) {
        var sockets: [(OperatorSocket, RequestGuard.Place)] = [(try OperatorSocket(unix: path), .unix)]
        if let address = settings.address {
            do throws(GatewayStartError) {
                let place = RequestGuard.Place.loopback(isControlled: settings.isControlledByAddress)
                sockets.append((try OperatorSocket(address), place))
            } catch {
                sockets[0].0.close()
                throw error
            }
        }
        self.sockets = sockets
        self.logger = logger
        threads.start()
        responder = AdminResponder(subject, threads: threads)
        task.withLock { $0 = Task { await self.serve() } }
        for (socket, _) in sockets { logger.info("operators are served", metadata: ["address": "\(socket.name)"]) }
    }

    /// Where it listens, for people.
    public var addresses: [String] { sockets.map(\.socket.name) }

    /// Ends, and removes the socket's file.
    public func stop() {
        for (socket, _) in sockets { socket.removeFile() }
        let running = task.withLock { $0 }
        running?.cancel()
        // The thread stays: connections that are being closed have something to say to it until the process ends.
    }

    private func serve() async {
        await withTaskGroup { tasks in
            for (socket, place) in sockets {
                tasks.addTask { await self.serve(socket, place) }
            }
        }
    }

    private func serve(_ socket: OperatorSocket, _ place: RequestGuard.Place) async {
        let http = channelSetup(place)
        let count = Counter()
        do {
            let channel = try await ServerBootstrap(group: Self.group)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(socket.descriptor, cleanupExistingSocketFile: false) { [logger] channel in
                    http.setup(channel: channel, logger: logger)
                }
            try await channel.executeThenClose { clients in
                try await withThrowingDiscardingTaskGroup { tasks in
                    for try await client in clients {
                        guard count.add(limit: Self.mostConnections) else {
                            // It has to be used: NIO ends the process for one that is dropped.
                            tasks.addTask { try? await client.executeThenClose { _, _ in } }
                            continue
                        }
                        tasks.addTask { [logger] in
                            await http.handle(value: client, logger: logger)
                            count.remove()
                        }
                    }
                }
            }
        } catch {
            if !Task.isCancelled {
                logger.error(
                    "operators are not served any more",
                    metadata: ["address": "\(socket.name)", "detail": "\(error)"]
                )
            }
        }
    }

    private func channelSetup(_ place: RequestGuard.Place) -> HTTP1Channel {
        var configuration = HTTP1Channel.Configuration(idleTimeout: Self.patience)
        configuration.httpDecoder = .init(
            maxHeaderFieldSize: Self.headerBytes,
            maxHeaderListSize: Self.headerBytes,
            maxHeaderFieldCount: 100
        )
        return HTTP1Channel(
            responder: { [responder] request, writer, channel in
                // Who does not take the answer does not keep the place.
                let deadline = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
                defer { deadline.cancel() }
                let response = await responder.respond(to: request, at: place)
                // Not before, or the end might come faster than the answer; and also when nobody takes that.
                defer { if response.status == .accepted { responder.subject.gateway.requestDrain() } }
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: configuration
        )
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func add(limit: Int) -> Bool {
            count.withLock { count in
                guard count < limit else { return false }
                count += 1
                return true
            }
        }

        func remove() {
            count.withLock { $0 -= 1 }
        }
    }
}
