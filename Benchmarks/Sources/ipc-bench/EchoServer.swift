// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import IPC
import IPCProtocol
import IPCTransport

/// Gives back what it gets, and says what it has used of the processor.
struct EchoChannel: ServerChannel {
    func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        switch command {
        case "echo": argument
        case "cpu": IPCValue(ProcessorTime.now)
        default: throw RemoteError.methodNotFound(command)
        }
    }
}

/// `ipc-bench serve`: the other process.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until killed.", shouldDisplay: false)

    @Argument(help: "The path of the socket.")
    var path: String

    func run() async throws {
        var options = ConnectionOptions()
        options.limits.frameBytes = 256 << 20
        let server = IPCServer<String>(options: options)
        server.registerChannel("bench", EchoChannel())
        try await server.serve(.unix(path)).waitUntilClosed()
    }
}
