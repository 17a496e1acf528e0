// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayRuntime
internal import IPC
internal import IPCTransport
internal import Logging
internal import TLSEngine

/// A tunnel at work: from the first look at the files to the end of the last session.
final class ConnectWork: Sendable {
    /// How long sessions may take to end in order.
    private static let endLimit = Duration.seconds(2)
    /// How long all that may take; then the process ends.
    private static let grace = Duration.seconds(4)
    private static let statusPause = Duration.milliseconds(250)

    private let settings: ConnectSettings
    private let line: StatusLine?
    private let log: ConnectLog
    private let credentials: CredentialReloader
    private let addresses: GatewayAddresses

    /// - Throws: ``CommandFailure`` when the files cannot be used.
    init(_ settings: ConnectSettings, logger: Logger, line: StatusLine?) throws {
        let log = ConnectLog(logger: logger)
        let credentials = CredentialReloader { log.credentials($0) }
        self.settings = settings
        self.line = line
        self.log = log
        self.credentials = credentials
        addresses = GatewayAddresses(settings.endpoints(credentials))
        do throws(TLSConfigurationError) {
            try credentials.makeContext(settings.tls)
        } catch {
            throw CommandFailure("\(error)", .configuration)
        }
    }

    /// Runs the tunnel until ctrl-C or SIGTERM.
    ///
    /// - Throws: ``CommandFailure`` when it cannot listen, or cannot any more.
    func run() throws {
        DescriptorLimit.raise(forConnections: 2 * settings.maximumClients, logger: log.logger)
        do {
            try Interruptible.run(grace: Self.grace, hangUp: hangUp) { try await self.carry() }
        } catch is Interrupted {
            // That is how it ends.
        }
    }

    /// What SIGHUP does.
    ///
    /// - Returns: Whether the tunnel goes on: not when its terminal is gone.
    private func hangUp() -> Bool {
        if line != nil, !Console.isTerminal { return false }
        log.logger.notice("SIGHUP: reading the certificates anew")
        // What is wrong with them was logged.
        _ = try? credentials.makeContext(settings.tls)
        return true
    }

    private func carry() async throws {
        let tunnel = try await open()
        let names = addresses.inOrder.map(\.description).joined(separator: ", ")
        log.logger.notice("listening", metadata: ["address": "unix:\(settings.listen)", "to": "\(names)"])
        let isClosed = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await Interruptible.waitForCancellation()
                return false
            }
            group.addTask {
                await tunnel.waitUntilClosed()
                return true
            }
            group.addTask { [self] in
                await tryOut()
                await Interruptible.waitForCancellation()
                return false
            }
            if let line { group.addTask { await Self.show(tunnel, on: line) } }
            let isClosed = await group.next() ?? false
            log.logger.info("stopping")
            let left = await tunnel.stop(within: Self.endLimit)
            if left > 0 { log.logger.warning("sessions that did not end in time are left to the gateway: \(left)") }
            group.cancelAll()
            return isClosed
        }
        log.logger.info("stopped")
        if isClosed, !Task.isCancelled {
            throw CommandFailure("the socket unix:\(settings.listen) was closed by the system", .unavailable)
        }
    }

    private func open() async throws -> Tunnel {
        var options = Tunnel.Options()
        options.maximumClients = settings.maximumClients
        do {
            return try await Tunnel.open(settings.listen, options: options, dial: dial) { [log] in log.client($0, $1) }
        } catch let error as ListenError {
            throw CommandFailure(error.reason, .unavailable)
        }
    }

    /// Opens a session for a client.
    private func dial() async throws -> TunnelRemote {
        let connection = try await PersistentConnection.connect(to: addresses.inOrder)
        addresses.used(connection.endpoint)
        return TunnelRemote(connection) { [addresses, weak connection] in addresses.leave(connection?.endpoint) }
    }

    /// Opens a session and ends it: what is wrong is seen at the start, and ends nothing.
    private func tryOut() async {
        do {
            let start = ContinuousClock.now
            let connection = try await PersistentConnection.connect(to: addresses.inOrder)
            addresses.used(connection.endpoint)
            connection.close(.disposed)
            let time = TunnelStatus.milliseconds(ContinuousClock.now - start)
            let address = connection.endpoint.map { "\($0)" } ?? ""
            log.logger.info("the gateway lets us in", metadata: ["address": "\(address)", "milliseconds": "\(time)"])
        } catch is CancellationError {
            // Nobody wants to know any more.
        } catch {
            let reason = (error as? ConnectionEnd)?.reason ?? "\(error)"
            log.logger.warning(
                "the gateway does not let us in now; local clients are tried all the same",
                metadata: ["reason": "\(reason)"]
            )
        }
    }

    /// Keeps the status line up to date.
    private static func show(_ tunnel: Tunnel, on line: StatusLine) async -> Bool {
        while !Task.isCancelled {
            line.show(TunnelStatus(clients: tunnel.snapshots).text)
            try? await Task.sleep(for: statusPause)
        }
        return false
    }
}
