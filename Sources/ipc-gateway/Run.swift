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
            a second signal ends it at once.

            Example: ipc-gateway run --config /etc/ipc-gateway/gateway.yaml
            """
    )

    @Option(name: [.short, .long], help: "The configuration file.")
    var config: String

    @OptionGroup var log: LogOptions

    func run() throws {
        let logger = log.makeLogger()
        let snapshot = try ConfigurationFile.load(config)
        for note in snapshot.notes { logger.notice("\(note)") }
        DescriptorLimit.raise(for: snapshot.configuration.limits, logger: logger)
        var signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let gateway: Gateway
        do {
            gateway = try Gateway(snapshot, logger: logger)
        } catch {
            Console.complain("error: \(error)")
            throw ExitCode.unavailable
        }
        while true {
            let signal = signals.wait()
            guard signal == SIGHUP else { break }
            logger.notice("SIGHUP: the configuration is read at start only; restart the gateway to apply changes")
        }
        logger.info("stopping")
        signals.restore()
        gateway.stop()
        gateway.wait()
        logger.info("stopped")
    }
}
