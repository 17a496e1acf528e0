// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization

/// A server built with the library, for the program to call and to listen to. Ends with the object.
final class CommandStage: Sendable {
    /// What its handlers see.
    struct Seen: Sendable {
        var arguments: [IPCValue] = []
        var startedCount = 0
        var cancelledCount = 0
    }

    /// The channel `test`.
    final class TestChannel: ServerChannel {
        let seen = Mutex(Seen())
        let events = EventEmitter<IPCValue>()

        func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
            seen.withLock { $0.arguments.append(argument) }
            switch command {
            case "echo": return argument
            case "whoami": return context
            case "fail":
                throw RemoteError(
                    name: "TypeError",
                    message: "no \u{1b}[31m",
                    stack: "TypeError: no\n    at here (x.js:1)"
                )
            case "failValue": throw RemoteFailure(["code": 5])
            case "never":
                seen.withLock { $0.startedCount += 1 }
                let (never, _) = AsyncStream.makeStream(of: Never.self)
                for await _ in never {}
                seen.withLock { $0.cancelledCount += 1 }
                throw CancellationError()
            default: throw RemoteError.methodNotFound(command)
            }
        }

        func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
            seen.withLock { $0.arguments.append(argument) }
            guard event == "onEvent" else { throw RemoteError.eventNotFound(event) }
            return events.event
        }
    }

    let directory: TemporaryDirectory
    let channel = TestChannel()
    let server = IPCServer<IPCValue>()
    private let listener: IPCListener

    /// Where the server listens.
    var socket: String { directory.file("server.sock") }

    init() async throws {
        directory = try TemporaryDirectory()
        server.registerChannel("test", channel)
        listener = try await server.serve(.unix(directory.file("server.sock")))
    }

    deinit {
        server.dispose()
        let listener = listener
        Task { await listener.close() }
    }

    var seen: Seen { channel.seen.withLock { $0 } }

    /// Starts the program.
    func start(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess([try GatewayProcess.program()] + arguments)
    }

    /// What a program has said and how it ended.
    struct Result: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs the program to its end.
    ///
    /// - Parameter input: What it reads from standard input.
    func run(_ arguments: [String], input: String? = nil) async throws -> Result {
        var words = [try GatewayProcess.program()] + arguments
        if let input {
            words = ["/bin/sh", "-c", "exec \"$@\" < \"$0\"", try directory.write(input, to: "input")] + words
        }
        let child = try ChildProcess(words)
        let status = try await child.end()
        return Result(status: status, output: child.output, errors: child.errors)
    }

    /// Calls a command of the server.
    func call(_ arguments: String..., input: String? = nil) async throws -> Result {
        try await run(["call", "--unix", socket] + arguments, input: input)
    }
}
