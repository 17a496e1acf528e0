// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayAdmin
internal import GatewayCore
internal import GatewayRuntime
internal import Glibc
internal import Logging

/// `ipc-gateway run`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Logs go to standard error. SIGTERM or ctrl-C ends it in order: nobody is let in any more, new calls are \
            refused, those that are open finish, for at most 'timeouts.drain' (30 s); then each client is told and let \
            go. A second signal ends it at once. The exit code is 0 when nothing was cut short, 75 when calls or \
            sessions were. SIGUSR1 opens the audit log's file anew, after it has been renamed.

            SIGHUP reads the configuration anew, with all files that it names. When anything is wrong with them the log \
            says what, and nothing changes. Otherwise everybody who is connected is judged again: who would not be let \
            in any more is cut, subscriptions that are not allowed any more end, and the others notice nothing.

            When it listens it gives up what it does not need: files that the configuration does not name, connections \
            to elsewhere, core dumps (--no-sandbox keeps them). Started by root it becomes the user of --user, or user:.

            Example: ipc-gateway run --config /etc/ipc-gateway/gateway.yaml
            Reload:  ipc-gateway check --config gateway.yaml && kill -HUP PID
            Rotate:  mv audit.jsonl audit.jsonl.1 && kill -USR1 PID
            Stop:    kill PID

            It stays in the foreground. Under systemd it says when it is ready, takes the sockets of a socket unit \
            ('address: systemd:NAME'), and serves the watchdog; docs/deployment.md.
            """
    )

    @Option(name: [.short, .long], help: "The configuration file.")
    var config: String

    @OptionGroup var log: LogOptions
    @OptionGroup var sandbox: SandboxOptions

    func run() throws {
        let closed = StandardDescriptors.reserve()
        // Before anything secret is read, of which it would have a copy.
        var helper = sandbox.isOff ? nil : ProgramHelper.start()
        let logger = log.makeLogger()
        let snapshot = try ConfigurationFile.load(config)
        for note in snapshot.notes { logger.notice("\(note)") }
        DescriptorLimit.raise(for: snapshot.configuration.limits, logger: logger)
        var signals = Signals([SIGTERM, SIGINT, SIGHUP, SIGUSR1, Signals.wakeUp])
        let configuration = snapshot.configuration
        if !sandbox.needsHelper(configuration) { helper = nil }
        var audit: AuditLog?
        var confinement: Confinement?
        let manager: ServiceManager
        let gateway: Gateway
        do throws(GatewayStartError) {
            manager = try ServiceManager()
            gateway = try Gateway(snapshot, logger: logger, inherited: manager.sockets) {
                () throws(GatewayStartError) in
                confinement = try sandbox.enter(configuration, helper, logger)
                audit = try openAudit(configuration, hasOutput: !closed.contains(STDOUT_FILENO), logger)
                return audit
            }
        } catch {
            Console.complain("error: \(error.isConfiguration ? "\(config): " : "")\(error)")
            throw error.isConfiguration ? ExitCode.configuration : ExitCode.unavailable
        }
        let reloader = Reloader(gateway, logger: logger) {
            [config, confinement] generation throws(ConfigurationError) in
            try ConfigurationFile.snapshot(config, generation: generation) { confinement?.problems(with: $0) ?? [] }
        }
        let admin = try serveOperators(gateway, reloader, audit, logger)
        gateway.announce()
        manager.ready(Self.status(gateway))
        gateway.startWatchdog(manager)
        gateway.whenDraining {
            reloader.end()
            logger.info("stopping")
            manager.stopping("Letting open calls finish")
        }
        try waitForEnd(&signals, gateway, reloader, audit, manager, logger)
        admin?.stop()
        audit?.close()
        let report = gateway.drainReport
        guard !report.isClean else { return logger.info("stopped") }
        logger.warning("stopped", metadata: ["cutCalls": "\(report.calls)", "cutSessions": "\(report.sessions)"])
        throw ExitCode.cutShort
    }

    /// What the service manager shows people.
    private static func status(_ gateway: Gateway) -> String {
        "Serving, configuration \(gateway.snapshot.generation)"
    }

    private func openAudit(
        _ configuration: GatewayConfiguration,
        hasOutput: Bool,
        _ logger: Logger
    ) throws(GatewayStartError) -> AuditLog? {
        guard let settings = configuration.audit else { return nil }
        if settings.destination == .standardOutput, !hasOutput {
            throw GatewayStartError("audit: the gateway was started without a standard output", isConfiguration: true)
        }
        do throws(GatewayStartError) {
            return try AuditLog(settings, path: settings.path(in: configuration), logger: logger)
        } catch {
            throw GatewayStartError("audit: \(error)", isConfiguration: true)
        }
    }

    /// Does what signals want until the gateway has ended.
    private func waitForEnd(
        _ signals: inout Signals,
        _ gateway: Gateway,
        _ reloader: Reloader,
        _ audit: AuditLog?,
        _ manager: ServiceManager,
        _ logger: Logger
    ) throws {
        let isWatched = DetachedThread.start {
            gateway.wait()
            Signals.wake()
        }
        guard isWatched else {
            Console.complain("error: cannot start a thread; raise the limit of processes (ulimit -u)")
            throw ExitCode.unavailable
        }
        while !gateway.hasEnded {
            switch signals.wait() {
            case SIGHUP where gateway.isDraining:
                logger.notice("SIGHUP: the gateway is stopping; the configuration is not read any more")
            case SIGHUP:
                manager.reloading()
                _ = reloader.reload(for: "SIGHUP")
                if !gateway.isDraining { manager.ready(Self.status(gateway)) }
            case SIGUSR1:
                if audit == nil { logger.notice("SIGUSR1: there is no audit log to reopen") }
                audit?.reopen()
            case SIGTERM where !gateway.isDraining, SIGINT where !gateway.isDraining:
                gateway.requestDrain()
            case SIGTERM, SIGINT:
                logger.notice("a second signal; the gateway stops now")
                // A third one does not wait for anything.
                signals.restore(only: [SIGTERM, SIGINT])
                gateway.stopNow()
            default:
                break
            }
        }
    }

    /// Starts what looks after the gateway, and what operators reach, if that is configured.
    private func serveOperators(
        _ gateway: Gateway,
        _ reloader: Reloader,
        _ audit: AuditLog?,
        _ logger: Logger
    ) throws -> AdminServer? {
        do throws(GatewayStartError) {
            _ = try Caretaker(gateway, reloader, logger: logger)
            let configuration = gateway.snapshot.configuration
            guard let settings = configuration.admin else { return nil }
            let subject = AdminSubject(gateway: gateway, reloader: reloader, audit: audit, version: Version.text)
            return try AdminServer(settings, path: configuration.resolve(settings.unix), subject, logger: logger)
        } catch {
            Console.complain("error: \(error)")
            gateway.requestDrain()
            gateway.stopNow()
            gateway.wait()
            audit?.close()
            throw ExitCode.unavailable
        }
    }
}
