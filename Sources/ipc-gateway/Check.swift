// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import TLSEngine

/// `ipc-gateway check`.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file, and the certificates and keys it names.",
        discussion: """
            Prints every problem with file, line and what would be right. Nothing is started.

            Example: ipc-gateway check --config gateway.yaml
            """
    )

    @Option(name: [.short, .long], help: "The configuration file.")
    var config: String

    func run() throws {
        let snapshot = try ConfigurationFile.load(config)
        for note in snapshot.notes { Console.say("warning: \(note)") }
        let configuration = snapshot.configuration
        for (listener, settings) in zip(snapshot.listeners, configuration.listeners) {
            switch listener {
            case .tcp(_, let tls):
                let names = tls.certificate.map { "certificate of \($0.subject)" } ?? "no certificate"
                let shared = settings.isShared ? ", shared with other gateways" : ""
                Console.say("listens on \(settings.name)\(shared), \(names)")
            case .unix where settings.inherited != nil:
                Console.say("listens on \(settings.name), a Unix socket, for local clients")
            case .unix(let socket):
                let digits = String(socket.mode, radix: 8)
                let mode = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                Console.say("listens on unix:\(socket.path), mode \(mode), for local clients")
            }
        }
        for upstream in configuration.upstreams {
            let when = upstream.eager ? "as soon as a client is accepted" : "at a client's first request"
            let channels = upstream.channels.map { "'\($0)'" }.joined(separator: ", ")
            let what = channels.isEmpty ? "" : ", for the channels \(channels)"
            Console.say("upstream \(upstream.name): \(configuration.resolve(upstream.unix))\(what), dialled \(when)")
        }
        if let shadow = configuration.shadow {
            let count = shadow.clients.count
            Console.say("shadow policy: \(count) client \(count == 1 ? "entry" : "entries"), judged and never obeyed")
        }
        Console.say(Self.audit(configuration))
        if let admin = configuration.admin {
            let what = admin.isControlledByAddress ? "everything" : "metrics and health"
            let address = admin.address.map { "; \(what) at \($0)" } ?? ""
            Console.say("operators: unix:\(configuration.resolve(admin.unix))\(address)")
        }
        let clients = configuration.clients.count
        Console.say("\(config): good; \(clients) client \(clients == 1 ? "entry" : "entries")")
    }

    /// Where audit lines go, and which there are.
    private static func audit(_ configuration: GatewayConfiguration) -> String {
        guard let settings = configuration.audit else { return "audit: none" }
        let place =
            switch settings.destination {
            case .file: settings.path(in: configuration) ?? ""
            case .standardOutput: "standard output"
            case .syslog: "the system's log"
            }
        let calls =
            switch settings.calls {
            case .all where settings.sample < 1:
                "denied calls and listens, and a share of \(settings.sample) of the others"
            case .all: "all calls and listens"
            case .denied: "denied calls and listens"
            case .none: "connections only"
            }
        let arguments =
            settings.arguments.map { bytes in
                let places = settings.redact.count
                let redacted = places == 0 ? "" : ", redacted at \(places) place\(places == 1 ? "" : "s")"
                return "arguments up to \(bytes) bytes\(redacted)"
            } ?? "no arguments"
        return "audit: to \(place); \(calls); \(arguments)"
    }
}
