// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCTransport

/// `ipc-gateway trace`.
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is said on a connection, in readable lines: live or recorded.",
        discussion: """
            Live it stands between the clients and the Unix socket of a server: clients connect to the socket of \
            --listen instead. It changes nothing. When the output is not taken, what passes waits too.

            Examples:
              ipc-gateway trace --unix /run/app/main.sock --listen /tmp/tap.sock
              ipc-gateway trace --unix main.sock --listen tap.sock --record conversation.jsonl
              ipc-gateway trace conversation.jsonl
              ipc-gateway trace --raw c2s bytes.bin

            A line has seconds, the number of the connection, an arrow to the server (→) or to the client (←), and the \
            message: its kind, the number of the request, channel and command, the argument or result, for an answer \
            the time it took. What nobody can read is shown with the reason and its first bytes.

                 0.012 #1 → call 0 sample.add [2,3]
                 0.013 #1 ← success 0 sample.add 5 (0.81 ms)

            A recording has a JSON object in each line: {"at":12.5,"connection":1,"direction":"c2s","hex":"0100…"}.

            Exit codes: 0 success, ctrl-C included; 1 a file cannot be read, or lines of it; 64 wrong usage; 69 --listen \
            is not possible.
            """
    )

    /// The choices of `--raw`.
    enum Direction: String, ExpressibleByArgument, CaseIterable {
        case c2s
        case s2c
    }

    @Option(help: ArgumentHelp("The Unix socket of the server.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("The Unix socket for the clients; it is made, for this user only.", valueName: "path"))
    var listen: String?

    @Option(help: ArgumentHelp("Record what passes; what the file held is gone.", valueName: "file"))
    var record: String?

    @Option(help: ArgumentHelp("FILE has the bytes of one direction: c2s or s2c.", valueName: "direction"))
    var raw: Direction?

    @Option(
        help: ArgumentHelp("Cut arguments and results after this many characters; 0 for never.", valueName: "count")
    )
    var width = 120

    @Argument(help: "A recording; - for standard input.")
    var file: String?

    mutating func validate() throws {
        guard width >= 0 else { throw ValidationError("--width takes a number from 0.") }
        if file != nil {
            guard unix == nil, listen == nil, record == nil else {
                throw ValidationError("Give either a file, or --unix and --listen.")
            }
        } else {
            guard unix != nil, listen != nil else {
                throw ValidationError("Give --unix and --listen to stand in between, or a file with a recording.")
            }
            guard raw == nil else { throw ValidationError("--raw is for a file.") }
        }
    }

    func run() throws {
        try CommandFailure.report {
            if let file {
                Signals.ignoreBrokenPipes()
                let input = try InputFile(file)
                guard let raw else { return try TraceReader.printRecording(input, width: width) }
                let direction: TraceDirection = raw == .c2s ? .clientToServer : .serverToClient
                try TraceReader.printRaw(input, direction, width: width)
            } else if let unix, let listen {
                try runLive(unix, listen)
            }
        }
    }

    private func runLive(_ server: String, _ path: String) throws {
        let trace = try LiveTrace(width: width, recordingTo: record)
        do {
            try Interruptible.run {
                let tap: UnixTap
                do {
                    tap = try await UnixTap.open(path, server: server) { trace.observe($0, $1) }
                } catch let error as ListenError {
                    throw CommandFailure(error.reason, .unavailable)
                }
                Console.complain("clients of \(path) reach \(server); ctrl-C ends it")
                let end = await trace.waitUntilEnd()
                await tap.close()
                if let end { throw end }
            }
        } catch is Interrupted {
            // That is how it ends.
        }
    }
}
