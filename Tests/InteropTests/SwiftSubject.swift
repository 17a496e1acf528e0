// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Synchronization

/// What Node calls and listens to in Swift: the channel `swift`, with something of everything.
final class SwiftSubject: ServerChannel {
    /// What callers and listeners have left.
    struct Seen {
        var arguments: [IPCValue] = []
        var contexts: [IPCValue] = []
        var started = 0
        var cancelled = 0
        var first = 0
        var last = 0
    }

    /// An error that knows nothing of the protocol.
    enum Trouble: Error {
        case ahead
    }

    private final class Log: Sendable {
        let seen = Mutex(Seen())
    }

    private let log: Log
    let ticks: EventEmitter<IPCValue>
    /// Calls back: whoever has the context, channel, command, argument.
    let reverse = Mutex<(@Sendable (IPCValue, IPCString, IPCString, IPCValue) async throws -> IPCValue)?>(nil)

    init() {
        let log = Log()
        self.log = log
        ticks = EventEmitter(
            onFirstListener: { log.seen.withLock { $0.first += 1 } },
            onLastListenerGone: { log.seen.withLock { $0.last += 1 } }
        )
    }

    /// What callers and listeners have left until now.
    var seen: Seen { log.seen.withLock { $0 } }

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        log.seen.withLock { seen in
            seen.arguments.append(argument)
            seen.contexts.append(context)
        }
        switch command {
        case "echo":
            return argument
        case "whoami":
            return context
        case "fail":
            throw RemoteError(name: "TypeError", message: "no", stack: "TypeError: no\n    at one\n    at two")
        case "failPlain":
            throw RemoteFailure(argument)
        case "failBriefly":
            throw RemoteError(name: nil, message: "")
        case "failInSwift":
            throw Trouble.ahead
        case "tick":
            for index in 0..<Int(argument.double ?? 0) { ticks.fire(IPCValue(index)) }
            return "ticked"
        case "never":
            await waitForCancellation()
            throw CancellationError()
        case "stubborn":
            await waitForCancellation()
            return "late"
        case "reverse":
            guard let reverse = reverse.withLock({ $0 }), case .array(let parts) = argument, parts.count == 3,
                case .string(let channel) = parts[0], case .string(let command) = parts[1]
            else { throw RemoteError.methodNotFound(command) }
            return try await reverse(context, channel, command, parts[2])
        default:
            throw RemoteError.methodNotFound(command)
        }
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        log.seen.withLock { seen in
            seen.arguments.append(argument)
            seen.contexts.append(context)
        }
        switch event {
        case "onTick":
            return ticks.event
        case "onArgument":
            return Event { sink in
                sink.send(argument)
                return EventSubscription()
            }
        default:
            throw RemoteError.eventNotFound(event)
        }
    }

    private func waitForCancellation() async {
        log.seen.withLock { $0.started += 1 }
        let stream = AsyncStream<Void> { _ in }
        for await _ in stream {}
        log.seen.withLock { $0.cancelled += 1 }
    }
}
