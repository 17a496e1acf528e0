// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol

/// `ipc-gateway listen`.
struct Listen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Listen to an event of a channel and print what it fires.",
        discussion: """
            Each event is one line of JSON on standard output, as it comes. ctrl-C unsubscribes at the server.

            Examples:
              ipc-gateway listen --unix /run/app/main.sock storage onDidChange
              ipc-gateway listen --host gateway.example.org --cert alice.pem --key alice-key.pem --ca ca.pem \
            --count 3 sample onTick
              ipc-gateway listen --persistent --host gateway.example.org --cert alice.pem --key alice-key.pem \
            --ca ca.pem sample onTick

            An event that the server does not have never fires, and neither does one that a gateway denies: the \
            protocol has no answer to that.

            Exit codes: 0 after --count events; 64 wrong usage; 69 no connection; 74 the connection ended; 78 a \
            certificate or key cannot be used; 124 --timeout; 130 ctrl-C.
            """
    )

    @OptionGroup(title: "Where and who")
    var server: ServerOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @Option(help: ArgumentHelp("End after this many events.", valueName: "number"))
    var count: Int?

    @Option(help: ArgumentHelp("How long to listen, connecting included.", valueName: "seconds"))
    var timeout: Timeout?

    @Argument(help: "The name of the channel.")
    var channel: String

    @Argument(help: "The name of the event.")
    var event: String

    @Argument(help: "The argument of the event, as JSON; undefined when left out.")
    var json: String?

    mutating func validate() throws {
        guard (count ?? 1) > 0 else { throw ValidationError("--count takes a number from 1.") }
    }

    func run() throws {
        try CommandFailure.report {
            let argument = try json.map { try ValueText.parse(Array($0.utf8), from: "the argument") } ?? .undefined
            let context = try server.announcedContext()
            let subject = RemoteSubject(channel: channel, name: event)
            let (endpoint, isPersistent) = (server.endpoint(), server.persistent)
            let (output, count, seconds) = (output, count, timeout?.seconds)
            try Interruptible.run {
                let few = count.map { "fewer than \($0) events came within" } ?? "ended after"
                let tooLate = { @Sendable in CommandFailure("\(subject): \(few) \(seconds ?? 0) s", .timedOut) }
                try await Deadline.run(seconds: seconds, failure: tooLate) {
                    try await ServerSession.run(endpoint, context: context, isPersistent: isPersistent) { session in
                        try await Self.listen(session, subject, argument, count: count) { try output.print($0) }
                    }
                }
            }
        }
    }

    private static func listen(
        _ session: ServerSession,
        _ subject: RemoteSubject,
        _ argument: IPCValue,
        count: Int?,
        print: @Sendable (IPCValue) throws -> Void
    ) async throws {
        let queue = EventQueue(over: session.connection)
        let event = session.client.channel(IPCString(subject.channel)).listen(IPCString(subject.name), argument)
        let subscription = event.attach(queue.sink)
        if Console.isTerminal { Console.complain("listening to \(subject); ctrl-C ends it") }
        try await withTaskCancellationHandler {
            var printed = 0
            for await payload in queue.events {
                try print(payload)
                queue.finishedOne()
                printed += 1
                if printed == count { return subscription.cancel() }
            }
            try Task.checkCancellation()
            throw subject.connectionFailure(await session.client.waitUntilClosed())
        } onCancel: {
            // At once, even while printing waits for whoever reads.
            subscription.cancel()
        }
    }
}
