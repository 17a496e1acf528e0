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

            Example: ipc-gateway run --config /etc/ipc-gateway/gateway.yaml
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
        waitForEnd(&signals, audit, logger)
        logger.info("stopping")
        // A second one of these ends it at once. Others that come now, for a new configuration or log file, come too late.
        signals.restore(only: [SIGTERM, SIGINT])
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
    private func waitForEnd(_ signals: inout Signals, _ audit: AuditLog?, _ logger: Logger) {
        while true {
            switch signals.wait() {
            case SIGHUP:
                logger.notice("SIGHUP: the configuration is read at start only; restart the gateway to apply changes")
            case SIGUSR1:
                if audit == nil { logger.notice("SIGUSR1: there is no audit log to reopen") }
                audit?.reopen()
            default:
                return
            }
        }
    }
}
