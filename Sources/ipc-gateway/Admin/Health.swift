// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayAdmin
internal import IPC
internal import IPCProtocol

/// `ipc-gateway health`.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a running gateway is of use.",
        discussion: """
            One line, and an exit code: 0 when the gateway is ready, 1 when it is not or cannot be asked. Ready is a \
            gateway whose local servers answer by the protocol, and that does not drain. With --live it is asked only \
            whether its threads answer.

            Examples:
              ipc-gateway health --config /etc/ipc-gateway/gateway.yaml
              HEALTHCHECK CMD ["ipc-gateway", "health", "--admin", "/run/ipc-gateway/admin.sock"]
            """
    )

    @OptionGroup var gateway: AdminOptions

    @Flag(help: "Ask whether the gateway lives, not whether it is ready.")
    var live = false

    @Option(help: ArgumentHelp("How long it may take to answer.", valueName: "seconds"))
    var timeout: Int = 5

    mutating func validate() throws {
        guard (1...600).contains(timeout) else { throw ValidationError("--timeout takes a number from 1 to 600.") }
    }

    func run() throws {
        var client = try gateway.client()
        client.patience = timeout
        let answer: HTTPAnswer
        do throws(AdminClient.Failure) {
            answer = try client.ask("GET", live ? "/health/live" : "/health/ready")
        } catch {
            try? Console.write(line: "unhealthy: \(PrintableText.escaped("\(error)"))")
            throw ExitCode.failure
        }
        let value = (try? JSONText.parse(answer.body.span, in: 0..<answer.body.count)) ?? .null
        let status = value["status"]?.string ?? "it answers with status \(answer.status)"
        var problems = (value["upstreams"]?.array ?? []).compactMap { upstream in
            upstream["reason"]?.string.map { "\(upstream["name"]?.string ?? ""): \($0)" }
        }
        if value["draining"] == .bool(true) { problems.append("it drains") }
        let text = ([status] + problems).joined(separator: "; ")
        try? Console.write(line: PrintableText.escaped(text))
        if answer.status != 200 { throw ExitCode.failure }
    }
}
