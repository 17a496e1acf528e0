// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import GatewayRuntime
internal import Glibc
internal import Logging

/// `ipc-gateway run`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway.",
        discussion: """
            Logs go to standard error. SIGTERM or ctrl-C ends it in order: every client is told, and gets two seconds; \
            a second signal ends it at once. SIGUSR1 opens the audit log's file anew, after it has been renamed.

            SIGHUP reads the configuration anew, with all files that it names. When anything is wrong with them the log \
            says what, and nothing changes. Otherwise everybody who is connected is judged again: who would not be let \
            in any more is cut, subscriptions that are not allowed any more end, and the others notice nothing.

            Example: ipc-gateway run --config /etc/ipc-gateway/gateway.yaml
            Reload:  ipc-gateway check --config gateway.yaml && kill -HUP PID
            Rotate:  mv audit.jsonl audit.jsonl.1 && kill -USR1 PID
            """
    )

    @Option(name: [.short, .long], help: "The configuration file.")
    var config: String

    @OptionGroup var log: LogOptions

    func run() throws {
        let closed = StandardDescriptors.reserve()
        let logger = log.makeLogger()
        let snapshot = try ConfigurationFile.load(config)
        for note in snapshot.notes { logger.notice("\(note)") }
        DescriptorLimit.raise(for: snapshot.configuration.limits, logger: logger)
        var signals = Signals([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
        let audit = try openAudit(snapshot.configuration, hasOutput: !closed.contains(STDOUT_FILENO), logger)
        let gateway: Gateway
        do {
            gateway = try Gateway(snapshot, logger: logger, audit: audit)
        } catch {
            Console.complain("error: \(error)")
            throw ExitCode.unavailable
        }
        waitForEnd(&signals, gateway, audit, logger)
        logger.info("stopping")
        // A second one of these ends it at once. Others that come now, for a new configuration or log file, come too late.
        signals.restore(only: [SIGTERM, SIGINT])
        Signals.onEach([SIGHUP]) {
            logger.notice("SIGHUP: the gateway is stopping; the configuration is not read any more")
        }
        gateway.stop()
        gateway.wait()
        audit?.close()
        logger.info("stopped")
    }

    private func openAudit(
        _ configuration: GatewayConfiguration,
        hasOutput: Bool,
        _ logger: Logger
    ) throws -> AuditLog? {
        guard let settings = configuration.audit else { return nil }
        if settings.destination == .standardOutput, !hasOutput {
            Console.complain("error: \(config): audit: the gateway was started without a standard output")
            throw ExitCode.configuration
        }
        do throws(GatewayStartError) {
            return try AuditLog(settings, path: settings.path(in: configuration), logger: logger)
        } catch {
            Console.complain("error: \(config): audit: \(error)")
            throw ExitCode.configuration
        }
    }

    /// Waits for a signal that ends the gateway.
    private func waitForEnd(_ signals: inout Signals, _ gateway: Gateway, _ audit: AuditLog?, _ logger: Logger) {
        while true {
            switch signals.wait() {
            case SIGHUP:
                reload(gateway, logger)
            case SIGUSR1:
                if audit == nil { logger.notice("SIGUSR1: there is no audit log to reopen") }
                audit?.reopen()
            default:
                return
            }
        }
    }

    /// Reads everything anew, on this thread; when anything is wrong nothing changes.
    private func reload(_ gateway: Gateway, _ logger: Logger) {
        let before = gateway.snapshot
        let generation = before.generation
        do throws(ConfigurationError) {
            let next = try ConfigurationFile.snapshot(config, generation: generation + 1)
            try gateway.reload(next)
            for note in next.notes { logger.notice("\(note)") }
            let limits = next.configuration.limits
            if (limits.clients, limits.newcomers)
                != (before.configuration.limits.clients, before.configuration.limits.newcomers)
            {
                DescriptorLimit.raise(for: limits, logger: logger)
            }
        } catch {
            for problem in error.problems { logger.error("reload: \(problem)") }
            logger.error(
                "SIGHUP: the configuration was not reloaded; the one that is in force stays",
                metadata: ["generation": "\(generation)", "problems": "\(error.problems.count)"]
            )
        }
    }
}
