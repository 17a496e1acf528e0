// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Synchronization

/// A channel with something of everything.
final class EchoChannel: ServerChannel {
    let ticks = EventEmitter<IPCValue>()
    let started = Mutex<[IPCValue]>([])
    let cancelled = Mutex(0)

    func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        started.withLock { $0.append(argument) }
        switch command {
        case "echo":
            return argument
        case "whoami":
            return IPCValue(context)
        case "fail":
            throw RemoteError(name: "TypeError", message: "no", stack: "TypeError: no\n    at here")
        case "failValue":
            throw RemoteFailure(argument)
        case "tick":
            ticks.fire(argument)
            return "ticked"
        case "never":
            let stream = AsyncStream<Void> { _ in }
            for await _ in stream {}
            cancelled.withLock { $0 += 1 }
            throw CancellationError()
        default:
            throw RemoteError.methodNotFound(command)
        }
    }

    func listen(_ context: String, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onTick" else { throw RemoteError.eventNotFound(event) }
        return ticks.event
    }
}

/// A server and a client of it in one process.
struct ServedPair {
    let server: IPCServer<String>
    let client: IPCClient<String>
    let channel = EchoChannel()

    init(context: String = "window:1", options: ConnectionOptions = ConnectionOptions()) throws {
        server = IPCServer<String>(options: options)
        server.registerChannel("echo", channel)
        let (near, far) = MessagePair.make()
        server.accept(far)
        client = try IPCClient(over: near, context: context, options: options)
    }
}
