// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Synchronization

/// The channel `test` of the recorded server.
final class TestChannel: ServerChannel {
    let ping = EventEmitter<IPCValue>()
    /// Where handlers wait that do not care whether they are cancelled.
    let gate = Gate()

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        switch command {
        case "echo": return argument
        case "ctx": return context
        case "add": return IPCValue((argument.array?.first?.double ?? 0) + (argument.array?.last?.double ?? 0))
        case "error":
            let text = argument.string ?? ""
            let stack = "Error: \(text)\n    at first (file.js:1:1)\n    at second (file.js:2:2)"
            throw RemoteError(name: "Error", message: IPCString(text), stack: IPCString(stack))
        case "typed": throw RemoteError(name: "TypeError", message: IPCString(argument.string ?? ""))
        case "reject": throw RemoteFailure(argument)
        case "cancellable":
            await gate.waitUntilCancelled()
            throw RemoteError(name: "Canceled", message: "Canceled", stack: "Canceled: Canceled\n    at somewhere")
        case "release":
            await gate.wait()
            return "late"
        case "never":
            await gate.wait()
            throw CancellationError()
        default:
            let text = IPCString("Unknown command: \(command)")
            throw RemoteError(name: "Error", message: text, stack: IPCString("Error: \(text)"))
        }
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onPing" else { throw RemoteError(name: "Error", message: IPCString("Unknown event: \(event)")) }
        return ping.event
    }
}

/// The channel `svc` of the recorded server: a service behind a proxy.
final class ServiceChannel: ServerChannel {
    let didX = EventEmitter<IPCValue>()

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        switch command {
        case "add":
            guard let first = argument.array?.first?.double else {
                return IPCValue("[object Object]\(Int(argument.array?.last?.double ?? 0))")
            }
            return IPCValue(first + (argument.array?.last?.double ?? 0))
        case "uri": return argument.array?.first ?? .undefined
        case "none": return .undefined
        case "fail": throw RemoteError(name: "Error", message: "svc", stack: "Error: svc")
        default: throw RemoteError.methodNotFound(command)
        }
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onDidX" else { throw RemoteError.eventNotFound(event) }
        return didX.event
    }
}

/// A channel that says what it was asked.
struct MirrorChannel: ServerChannel {
    let name: IPCString

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        [.string(name), .string(command), argument]
    }
}

/// The channel `clientchan` of the recorded client.
final class ClientSideChannel: ServerChannel {
    let didE = EventEmitter<IPCValue>()

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        guard command != "fail" else { throw RemoteFailure("client says no") }
        return [context, .string(command), argument]
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onE" else { throw RemoteError.eventNotFound(event) }
        return didE.event
    }
}

/// Somewhere to wait until it is opened.
public final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Creates a gate that is shut.
    public init() {}

    /// How many wait.
    public var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Lets all pass, now and from now on.
    public func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the gate is open, whether the task is cancelled or not.
    public func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Waits until the task is cancelled, or for ever.
    public func waitUntilCancelled() async {
        for await _ in AsyncStream(Void.self, { _ in }) {}
    }
}
