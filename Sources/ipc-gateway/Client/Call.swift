// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol

/// `ipc-gateway call`.
struct Call: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call a command of a channel and print its result.",
        discussion: """
            The result is one line of JSON on standard output; what goes wrong is on standard error. ctrl-C cancels the \
            call at the server.

            Examples:
              ipc-gateway call --unix /run/app/main.sock storage get '"colour"'
              ipc-gateway call --host gateway.example.org --cert alice.pem --key alice-key.pem --ca ca.pem sample whoami
              ipc-gateway call --unix main.sock --service files readFile '{"$mid":1,"path":"/etc/hosts","scheme":"file"}'
              ipc-gateway call --persistent --host gateway.example.org --cert alice.pem --key alice-key.pem --ca ca.pem \
            sample sleep 60000
              echo '[2,3]' | ipc-gateway call --unix main.sock sample add -

            Without JSON the argument is undefined; one JSON is the argument; of several an array is made. Services of \
            VS Code (ProxyChannel) take their parameters as an array always: --service. After -- a JSON may begin with \
            a minus. Buffers are {"type":"VSBuffer","base64":"…"} or {"type":"Buffer",…}, in arguments as in results; \
            a result of undefined is printed as null.

            Exit codes: 0 success; 1 the handler failed with an Error, 2 with another value (its JSON is the last line \
            on standard error); 3 there is no such channel; 64 wrong usage; 69 no connection; 74 the connection ended \
            before the answer; 77 the gateway denies it; 78 a certificate or key cannot be used; 124 --timeout; \
            130 ctrl-C.
            """
    )

    @OptionGroup(title: "Where and who")
    var server: ServerOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @Flag(help: "Send the JSON as an array always, as the parameters of a service's method.")
    var service = false

    @Option(
        help: ArgumentHelp(
            "Append the bytes of a file to the arguments, as a VSBuffer; - for standard input. May be repeated.",
            valueName: "file"
        )
    )
    var buffer: [String] = []

    @Option(
        help: ArgumentHelp("How long it may take, connecting included; then it is cancelled.", valueName: "seconds")
    )
    var timeout: Timeout?

    @Argument(help: "The name of the channel.")
    var channel: String

    @Argument(help: "The name of the command.")
    var command: String

    @Argument(help: "What to send, as JSON; - reads one from standard input.")
    var json: [String] = []

    mutating func validate() throws {
        guard (json + buffer).count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("Standard input can be read only once.")
        }
    }

    func run() throws {
        try CommandFailure.report {
            // Before ctrl-C is taken over: standard input may be a terminal.
            let argument = try argument()
            let context = try server.announcedContext()
            let subject = RemoteSubject(channel: channel, name: command)
            let (endpoint, isPersistent) = (server.endpoint(), server.persistent)
            let (output, seconds) = (output, timeout?.seconds)
            try Interruptible.run {
                let tooLate = { @Sendable in CommandFailure("\(subject): no answer within \(seconds ?? 0) s", .timedOut)
                }
                try await Deadline.run(seconds: seconds, failure: tooLate) {
                    try await ServerSession.run(endpoint, context: context, isPersistent: isPersistent) { session in
                        try output.print(try await Self.call(session.client, subject, argument))
                    }
                }
            }
        }
    }

    private static func call(
        _ client: IPCClient<IPCValue>,
        _ subject: RemoteSubject,
        _ argument: IPCValue
    ) async throws -> IPCValue {
        do {
            return try await client.channel(IPCString(subject.channel)).call(IPCString(subject.name), argument)
        } catch {
            throw subject.failure(error)
        }
    }

    /// What to send.
    private func argument() throws -> IPCValue {
        var arguments = try json.enumerated().map { index, text in
            text == "-"
                ? try ValueText.parse(try InputFile.contents(of: "-"), from: "standard input")
                : try ValueText.parse(Array(text.utf8), from: "argument \(index + 1)")
        }
        arguments += try buffer.map { .vsBuffer(try InputFile.contents(of: $0)) }
        if service { return .array(arguments) }
        return switch arguments.count {
        case 0: .undefined
        case 1: arguments[0]
        default: .array(arguments)
        }
    }
}
